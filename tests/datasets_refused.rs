//! CSVs and features that are refused.

use trainyard_testkit::{System, unique};

use crate::support::{on_both_stacks, quick_job};
use serde_json::json;

on_both_stacks!(
    malformed_files_are_refused_with_their_row,
    a_million_columns_are_refused_early,
    invalid_names_are_refused,
    a_target_without_two_classes_is_refused_at_submission,
    leaking_features_are_refused_or_cause_a_warning,
);

async fn malformed_files_are_refused_with_their_row(system: &System) {
    let admin = system.client().admin().await;
    let refused = async |csv: &[u8], hints: &[&str]| {
        let problem = admin.upload(&unique("bad"), csv.to_vec()).await.problem(422).to_string();
        for hint in hints {
            assert!(problem.contains(hint), "{hint:?} is not in {problem}");
        }
    };
    refused(b"", &["empty"]).await;
    refused(b"a,b\n", &["row"]).await;
    refused(b"a,b\n1,2\n3,4,5\n", &["row 2", "5"]).await;
    refused(b"x,y\n1,a\n2,b\n\0,c\n", &["row 3", "'x'"]).await;
    refused(b"<!DOCTYPE html>\n<html><body>404</body></html>\n", &["HTML"]).await;
    refused(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["PNG"]).await;
    refused(b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0xl/workbook.xml", &["Excel"]).await;
}

async fn a_million_columns_are_refused_early(system: &System) {
    let admin = system.client().admin().await;
    let mut csv: String = (0..1_000_000).map(|i| format!("c{i},")).collect();
    csv.push_str("end\n");
    let problem = admin.upload(&unique("wide"), csv).await.problem(422).to_string();
    assert!(problem.contains("column"), "{problem}");
}

async fn invalid_names_are_refused(system: &System) {
    let admin = system.client().admin().await;
    admin.upload("Bad%20Name", "a,b\n1,2\n").await.refused(&["name"]);
    let request = admin.request(reqwest::Method::POST, "/datasets").header("content-type", "text/csv").body("a\n1\n");
    admin.send(request).await.refused(&["name"]);
    let request = admin.request(reqwest::Method::POST, &format!("/datasets?name={}", unique("pdf")));
    let request = request.header("content-type", "application/pdf").body("a\n1\n");
    admin.send(request).await.problem(415);
}

async fn a_target_without_two_classes_is_refused_at_submission(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("one");
    admin.upload(&name, "x,constant,void\n1,7,\n2,7,\n2,7,\n").await.expect(201);
    for target in ["constant", "void"] {
        let job =
            json!({"name": name, "algorithm": "random_forest", "dataset": name, "target": target, "features": ["x"]});
        admin.post("/training", job).await.refused(&["target"]);
    }
    let job = json!({"name": name, "algorithm": "random_forest", "dataset": name, "target": "x", "features": ["void"]});
    admin.post("/training", job).await.refused(&["features[0]"]);
}

async fn leaking_features_are_refused_or_cause_a_warning(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("leak");
    // `alive` equals the target, `hint` differs from the target in two rows, and `noise` is random.
    let mut csv = String::from("alive,hint,noise,survived\n");
    for i in 0..200 {
        let survived = i % 2;
        let hint = if i < 2 { 0.5 } else { f64::from(survived) * 10.0 + f64::from(i) / 1000.0 };
        csv.push_str(&format!("{},{hint},{},{survived}\n", if survived == 1 { "yes" } else { "no" }, (i * 7) % 13));
    }
    admin.upload(&name, csv).await.expect(201);
    let mut job = quick_job(&name);
    job["dataset"] = json!(name);
    job["target"] = json!("survived");
    job["features"] = json!(["noise", "alive"]);
    job["on_leak"] = json!("refuse");
    admin.post("/training", job.clone()).await.refused(&["features[1]"]);
    job["on_leak"] = json!("warn");
    job["features"] = json!(["noise", "hint"]);
    let view = admin.trained(job).await;
    let warnings = view["metrics"]["warnings"].to_string();
    assert!(warnings.contains("hint"), "{warnings}");
    job = quick_job(&name);
    (job["dataset"], job["target"], job["features"]) = (json!(name), json!("survived"), json!(["*"]));
    job["on_leak"] = json!("drop");
    let view = admin.trained(job).await;
    assert_eq!(view["spec"]["features"], json!(["hint", "noise"]));
    let warnings = view["metrics"]["warnings"].to_string();
    assert!(warnings.contains("'alive'") && warnings.contains("is not used"), "{warnings}");
}
