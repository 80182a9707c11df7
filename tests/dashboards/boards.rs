//! Parses the dashboards and completes their queries as Grafana does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The dashboard files.
pub const FILES: [&str; 4] = ["services_overview.json", "queue.json", "training.json", "inference.json"];

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Reads a file of the repository.
pub fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A dashboard.
pub struct Board {
    pub file: &'static str,
    pub json: Value,
}

/// A query of a panel.
pub struct Target {
    pub panel: String,
    pub query: String,
    /// A range query, or an instant query.
    pub range: bool,
}

impl Board {
    pub fn all() -> Vec<Self> {
        let parse = |file| Self { file, json: serde_json::from_str(&read(&format!("dashboards/{file}"))).unwrap() };
        FILES.map(parse).into()
    }

    /// All panels except rows.
    pub fn panels(&self) -> Vec<&Value> {
        self.json["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
    }

    /// Every query of the dashboard, including annotations.
    pub fn targets(&self) -> Vec<Target> {
        let of_panel = |panel: &Value| {
            let title = panel["title"].as_str().unwrap().to_owned();
            let targets = panel["targets"].as_array().unwrap().clone();
            targets.into_iter().map(move |target| Target {
                panel: title.clone(),
                query: target["expr"].as_str().unwrap().to_owned(),
                range: target["range"] == true,
            })
        };
        let annotations = self.json["annotations"]["list"].as_array().unwrap().iter();
        let annotations = annotations.map(|annotation| Target {
            panel: format!("annotation {}", annotation["name"].as_str().unwrap()),
            query: annotation["expr"].as_str().unwrap().to_owned(),
            range: true,
        });
        self.panels().into_iter().flat_map(of_panel).chain(annotations).collect()
    }

    /// The variables that are filled by a query: name, selector, and label.
    pub fn variables(&self) -> Vec<(String, String, String)> {
        let list = self.json["templating"]["list"].as_array().unwrap().iter();
        let queries = list.filter(|variable| variable["type"] == "query").map(|variable| {
            let query = variable["query"]["query"].as_str().unwrap();
            let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
            let (selector, label) = inside.rsplit_once(", ").unwrap();
            (variable["name"].as_str().unwrap().to_owned(), selector.to_owned(), label.to_owned())
        });
        queries.collect()
    }
}

/// The query with Grafana's variables replaced.
pub fn filled_in(query: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = query.replace("$__rate_interval", "1m");
    for (name, value) in variables {
        text = text.replace(&format!("${name}"), value);
    }
    assert!(!text.contains('$'), "what is in {text}?");
    text
}
