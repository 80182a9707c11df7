//! Renders the chart.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// Kubernetes versions: the oldest that the chart supports, one between, and the newest with available schemas.
const KUBERNETES: [&str; 3] = ["1.27", "1.31", "1.37"];

/// The required values of an install.
pub const MINIMAL: &str = "minimal";

/// Every set of values in `ci/`, rendered once.
pub static SETS: LazyLock<Vec<Rendered>> = LazyLock::new(|| {
    let mut names: Vec<_> = std::fs::read_dir(folder().join("ci"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.iter().map(|name| render(name, &[])).collect()
});

/// The rendered manifests of a set of values.
pub struct Rendered {
    pub name: String,
    pub manifests: Vec<Value>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub fn folder() -> PathBuf {
    root().join("charts/trainyard")
}

pub fn tool(name: &str) -> Command {
    let path = root().join("target/tools/charts/bin").join(name);
    assert!(path.exists(), "{name} is not there: run `scripts/ensure charts`");
    let mut command = Command::new(path);
    // Helm must not use a cluster of the machine.
    command.current_dir(root()).env("KUBECONFIG", "/dev/null");
    command
}

/// Runs `helm <verb> … -f ci/<set>.yaml <arguments>` for the release `demo` in the namespace `ml`.
pub fn helm(verb: &[&str], set: &str, arguments: &[&str]) -> Output {
    let values = folder().join("ci").join(format!("{set}.yaml"));
    let mut command = tool("helm");
    command.args(verb).arg(folder()).args(["--namespace", "ml", "--values"]).arg(values).args(arguments);
    command.output().unwrap()
}

/// The manifests of a set of values with additional arguments. Panics if Helm or the Kubernetes schemas refuse them.
pub fn render(set: &str, arguments: &[&str]) -> Rendered {
    let output = helm(&["template", "demo"], set, arguments);
    assert!(output.status.success(), "{set} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Rendered { name: set.to_owned(), manifests: validated(&output.stdout) }
}

/// The parsed manifests, after validation with the Kubernetes schemas.
pub fn validated(manifests: &[u8]) -> Vec<Value> {
    let mut python = tool("python");
    let python = python.arg("tests/deploy/validate.py").args(KUBERNETES);
    let mut process = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(manifests).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Rendered {
    pub fn all<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r Value> {
        self.manifests.iter().filter(move |manifest| manifest["kind"] == kind)
    }

    /// The only manifest of a kind whose name has the given suffix.
    pub fn get(&self, kind: &str, ending: &str) -> &Value {
        let found = self.find(kind, ending);
        found.unwrap_or_else(|| panic!("{}: there is no {kind} …{ending}", self.name))
    }

    pub fn find(&self, kind: &str, ending: &str) -> Option<&Value> {
        let named = |manifest: &&Value| name(manifest).ends_with(ending);
        let mut found = self.manifests.iter().filter(|manifest| manifest["kind"] == kind).filter(named);
        let first = found.next();
        assert!(found.next().is_none(), "{}: several {kind} …{ending}", self.name);
        first
    }

    /// Every pod template, with the manifest that contains it.
    pub fn pods(&self) -> Vec<(&Value, &Value)> {
        let template = |manifest| match kind(manifest) {
            "Deployment" | "Job" => Some(&manifest["spec"]["template"]),
            "ScaledJob" => Some(&manifest["spec"]["jobTargetRef"]["template"]),
            "Pod" => Some(manifest),
            _ => None,
        };
        self.manifests.iter().filter_map(|manifest| Some((manifest, template(manifest)?))).collect()
    }

    /// The pod of one role.
    pub fn pod(&self, role: &str) -> &Value {
        self.find_pod(role).unwrap_or_else(|| panic!("{}: there is no pod for {role}", self.name))
    }

    pub fn find_pod(&self, role: &str) -> Option<&Value> {
        let of_role = |pod: &&Value| pod["metadata"]["labels"]["app.kubernetes.io/component"] == role;
        self.pods().into_iter().map(|(_, pod)| pod).find(of_role)
    }
}

pub fn name(manifest: &Value) -> &str {
    manifest["metadata"]["name"].as_str().unwrap()
}

pub fn kind(manifest: &Value) -> &str {
    manifest["kind"].as_str().unwrap()
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The value of a pod's environment variable; `None` if it is missing or comes from another object.
pub fn env<'p>(pod: &'p Value, variable: &str) -> Option<&'p str> {
    let variables = list(&pod["spec"]["containers"][0]["env"]);
    variables.iter().find(|entry| entry["name"] == variable)?["value"].as_str()
}

/// Whether a selector matches these labels.
pub fn picks(selector: &Value, labels: &Value) -> bool {
    selector.as_object().is_some_and(|wanted| wanted.iter().all(|(key, value)| &labels[key] == value))
}
