//! The bodies of requests and answers in each protocol.

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

use super::table::{FEATURES, Row, names};
use crate::http::{request, request_with};

/// The name of the model, for every contender.
pub(crate) const MODEL: &str = "bench";
const V2_PATH: &str = "/v2/models/bench/infer";
/// The tensor of the probabilities.
const PROBABILITIES: &str = "predict_proba";

/// How a contender is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `POST /inference`: objects with a value for each feature.
    Objects,
    /// The Open Inference Protocol V2, with one matrix of FP32 in JSON.
    V2Json,
    /// The Open Inference Protocol V2, with one matrix of FP32 as binary data, also in the answer.
    V2Binary,
}

impl Protocol {
    /// The name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects in JSON",
            Self::V2Json => "V2 JSON",
            Self::V2Binary => "V2 binary",
        }
    }

    /// Requests of `per_request` rows each.
    pub(crate) fn requests(self, rows: &[Row], per_request: usize, token: &str) -> Vec<Vec<u8>> {
        rows.chunks_exact(per_request).map(|rows| self.request(rows, token)).collect()
    }

    /// One request with these rows.
    pub(crate) fn request(self, rows: &[Row], token: &str) -> Vec<u8> {
        match self {
            Self::Objects => request("POST", "/inference", token, &objects(rows, MODEL).to_string()),
            Self::V2Json => {
                let numbers: Vec<f32> = rows.iter().flat_map(|row| row.features.map(|value| value as f32)).collect();
                let input = json!({
                    "name": "input", "shape": [rows.len(), FEATURES], "datatype": "FP32", "data": numbers
                });
                let body = json!({"inputs": [input], "outputs": [{"name": PROBABILITIES}]});
                request("POST", V2_PATH, token, &body.to_string())
            }
            Self::V2Binary => {
                let bytes = rows.iter().flat_map(|row| row.features).flat_map(|value| (value as f32).to_le_bytes());
                let bytes: Vec<u8> = bytes.collect();
                let input = json!({
                    "name": "input", "shape": [rows.len(), FEATURES], "datatype": "FP32",
                    "parameters": {"binary_data_size": bytes.len()}
                });
                let output = json!({"name": PROBABILITIES, "parameters": {"binary_data": true}});
                let head = json!({"inputs": [input], "outputs": [output]}).to_string();
                let headers = format!(
                    "content-type: application/octet-stream\r\ninference-header-content-length: {}\r\n",
                    head.len()
                );
                request_with("POST", V2_PATH, token, &headers, &[head.as_bytes(), &bytes].concat())
            }
        }
    }

    /// The probability of the positive class of each row in the body of an answer.
    ///
    /// # Errors
    /// If the body has another form.
    pub(crate) fn probabilities(self, body: &[u8]) -> anyhow::Result<Vec<f64>> {
        let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
        let answer = values.next().context("an answer in JSON")??;
        let binary = &body[values.byte_offset()..];
        let probability = |row: &Value| row["prob"].as_f64().context("a number in prob");
        if self == Self::Objects {
            return match answer["predictions"].as_array() {
                Some(rows) => rows.iter().map(probability).collect(),
                None => Ok(vec![probability(&answer)?]),
            };
        }
        let outputs = answer["outputs"].as_array().context("outputs")?;
        let output = outputs.iter().find(|output| output["name"] == PROBABILITIES).context("predict_proba")?;
        let both: Vec<f64> = match (output["data"].as_array(), output["datatype"].as_str()) {
            (Some(data), _) => data.iter().map(|value| value.as_f64().context("a number")).collect::<Result<_, _>>()?,
            (None, Some("FP32")) => {
                let (numbers, _) = binary.as_chunks::<4>();
                numbers.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
            }
            (None, Some("FP64")) => {
                let (numbers, _) = binary.as_chunks::<8>();
                numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
            }
            (None, datatype) => anyhow::bail!("predict_proba has the datatype {datatype:?}"),
        };
        ensure!(both.len().is_multiple_of(2), "predict_proba has {} elements", both.len());
        Ok(both.chunks_exact(2).map(|pair| pair[1]).collect())
    }
}

/// A body of `POST /inference` for `model`: one row as `features`, several rows as `instances`.
pub(crate) fn objects(rows: &[Row], model: &str) -> Value {
    let object = |row: &Row| -> Map<String, Value> {
        names().into_iter().zip(row.features).map(|(name, value)| (name, value.into())).collect()
    };
    match rows {
        [row] => json!({"model": model, "features": object(row)}),
        rows => json!({"model": model, "instances": rows.iter().map(object).collect::<Vec<_>>()}),
    }
}

/// The version in an answer of `POST /inference`, without parsing the whole body.
pub(crate) fn version(body: &[u8]) -> Option<u32> {
    const FIELD: &[u8] = b"\"version\":";
    let at = body.windows(FIELD.len()).rposition(|bytes| bytes == FIELD)?;
    let digits = body[at + FIELD.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    #[test]
    fn answers_of_every_protocol_are_read() {
        let two = r#"{"predictions":[{"prob":0.25,"label":false},{"prob":1.0,"label":true}],"model":"m","version":12}"#;
        assert_eq!(Protocol::Objects.probabilities(two.as_bytes()).unwrap(), [0.25, 1.0]);
        assert_eq!(version(two.as_bytes()), Some(12));
        assert_eq!(version(b"{}"), None);
        let v2 = r#"{"outputs":[{"name":"predict_proba","shape":[1,2],"datatype":"FP64","data":[0.75,0.25]}]}"#;
        assert_eq!(Protocol::V2Json.probabilities(v2.as_bytes()).unwrap(), [0.25]);
        let mut binary = br#"{"outputs":[{"name":"predict_proba","datatype":"FP32","shape":[1,2]}]}"#.to_vec();
        binary.extend([0.75_f32, 0.25].iter().flat_map(|value| value.to_le_bytes()));
        assert_eq!(Protocol::V2Binary.probabilities(&binary).unwrap(), [0.25]);
        assert!(Protocol::V2Json.probabilities(b"{}").is_err());
    }

    #[test]
    fn a_binary_request_has_four_bytes_per_number() {
        let request = Protocol::V2Binary.request(&table::rows(1, 3), "t");
        let text = String::from_utf8_lossy(&request);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(": ").parse::<usize>().unwrap()
        };
        let json = header("inference-header-content-length");
        assert_eq!(header("content-length"), json + 3 * FEATURES * 4);
        assert_eq!(request.len(), head.len() + 4 + header("content-length"));
    }
}
