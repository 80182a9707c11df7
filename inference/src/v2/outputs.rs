//! The outputs of a model, and those that a request selects.

use trainyard_domain::shown;
use trainyard_http::Problem;

use super::parameters::Parameters;
use super::refusal;
use super::request::RequestedOutput;
use super::target::Target;

/// An output tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// The label or the number.
    Predict,
    /// The probability of each class.
    PredictProba,
}

impl Output {
    /// The outputs of a model with this target.
    pub(crate) fn of(target: &Target) -> &'static [Self] {
        match target {
            Target::Regression => &[Self::Predict],
            _ => &[Self::Predict, Self::PredictProba],
        }
    }

    /// The name in requests and responses: scikit-learn's method.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::PredictProba => "predict_proba",
        }
    }
}

/// A selected output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selected {
    /// The output.
    pub(crate) output: Output,
    /// Whether it is answered as binary data.
    pub(crate) binary: bool,
}

/// The outputs that a request selects, in its order; all if it names none.
pub(crate) fn select<'a>(
    target: &Target,
    requested: impl IntoIterator<Item = Result<RequestedOutput<'a>, Problem>>,
    request: Parameters,
) -> Result<Vec<Selected>, Problem> {
    let all_binary = request.binary_data_output.unwrap_or(false);
    let known = Output::of(target);
    let mut selected: Vec<Selected> = Vec::with_capacity(known.len());
    for requested in requested {
        let RequestedOutput { name, parameters } = requested?;
        let shown = || shown(&name);
        let Some(output) = known.iter().copied().find(|output| output.name() == name) else {
            let names: Vec<_> = known.iter().map(|output| output.name()).collect();
            let names = names.join(", ");
            return Err(refusal(format!("the output '{}' is unknown; the outputs of this model are {names}", shown())));
        };
        if selected.iter().any(|earlier| earlier.output == output) {
            return Err(refusal(format!("the output '{}' is requested twice", shown())));
        }
        let parameters = parameters.unwrap_or_default();
        if let Some(unsupported) = parameters.unsupported {
            return Err(refusal(format!(
                "the output '{}' has the parameter {unsupported}, which this server does not support",
                shown()
            )));
        }
        selected.push(Selected { output, binary: parameters.binary_data.unwrap_or(all_binary) });
    }
    if selected.is_empty() {
        selected.extend(known.iter().map(|output| Selected { output: *output, binary: all_binary }));
    }
    Ok(selected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(target: &Target, request: &str) -> Result<Vec<(&'static str, bool)>, String> {
        #[derive(serde::Deserialize)]
        struct Request<'a> {
            #[serde(borrow)]
            outputs: Option<Vec<RequestedOutput<'a>>>,
            parameters: Option<Parameters>,
        }
        let request: Request<'_> = serde_json::from_str(request).unwrap();
        let outputs = request.outputs.into_iter().flatten().map(Ok);
        let selected = select(target, outputs, request.parameters.unwrap_or_default());
        let short = |selected: Vec<Selected>| selected.iter().map(|s| (s.output.name(), s.binary)).collect();
        selected.map(short).map_err(|problem| problem.detail().to_owned())
    }

    #[test]
    fn a_request_selects_outputs_and_their_form() {
        let classes = Target::Booleans(vec![false, true]);
        for (request, expected) in [
            ("{}", vec![("predict", false), ("predict_proba", false)]),
            (r#"{"outputs": []}"#, vec![("predict", false), ("predict_proba", false)]),
            (r#"{"parameters": {"binary_data_output": true}}"#, vec![("predict", true), ("predict_proba", true)]),
            (r#"{"outputs": [{"name": "predict_proba"}]}"#, vec![("predict_proba", false)]),
            (
                r#"{"outputs": [{"name": "predict_proba"}, {"name": "predict", "parameters": {"binary_data": false}}],
                    "parameters": {"binary_data_output": true}}"#,
                vec![("predict_proba", true), ("predict", false)],
            ),
        ] {
            assert_eq!(selected(&classes, request).unwrap(), expected, "{request}");
        }
        assert_eq!(selected(&Target::Regression, "{}").unwrap(), [("predict", false)]);
    }

    #[test]
    fn unknown_and_repeated_outputs_are_refused_by_name() {
        let unknown = selected(&Target::Regression, r#"{"outputs": [{"name": "predict_proba"}]}"#).unwrap_err();
        assert_eq!(unknown, "the output 'predict_proba' is unknown; the outputs of this model are predict");
        let twice = r#"{"outputs": [{"name": "predict"}, {"name": "predict"}]}"#;
        assert_eq!(selected(&Target::Regression, twice).unwrap_err(), "the output 'predict' is requested twice");
        let top = r#"{"outputs": [{"name": "predict", "parameters": {"classification": 2}}]}"#;
        assert!(selected(&Target::Regression, top).unwrap_err().contains("classification"));
    }
}
