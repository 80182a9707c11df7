//! Uploading, reading and deleting datasets.

use reqwest::Method;
use serde_json::{Value, json};
use trainyard_testkit::{System, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    the_built_in_dataset_exists,
    an_upload_is_profiled_versioned_and_previewed,
    gzip_and_multipart_uploads_work,
    tables_of_other_formats_are_read_and_previewed,
    a_dry_run_stores_nothing,
    a_dataset_with_an_active_job_is_not_deleted,
);

const CSV: &str = "height,colour,big,note\n1.5,red,yes,\n2.5,blue,no,\n,red,yes,\n4.0,\"gr,een\",no,\n";

fn column<'v>(dataset: &'v Value, name: &str) -> &'v Value {
    dataset["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()
}

async fn the_built_in_dataset_exists(system: &System) {
    let admin = system.client().admin().await;
    let titanic = admin.get("/datasets/titanic").await.expect(200);
    assert_eq!(titanic["rows"], 1309);
    assert_eq!(column(&titanic, "age")["missing"], 263);
    assert_eq!(column(&titanic, "sex")["dtype"], "category");
    assert_eq!(column(&titanic, "survived")["distinct"], 2);
    let listed = admin.get("/datasets?limit=100").await.expect(200);
    assert!(listed["items"].as_array().unwrap().iter().any(|dataset| dataset["name"] == "titanic"));
}

async fn an_upload_is_profiled_versioned_and_previewed(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("d");
    let first = admin.upload(&name, CSV).await.expect(201);
    assert_eq!((&first["version"], &first["rows"]), (&json!(1), &json!(4)));
    let height = column(&first, "height");
    assert_eq!((&height["dtype"], &height["missing"]), (&json!("number"), &json!(1)));
    assert_eq!((&height["min"], &height["max"]), (&json!(1.5), &json!(4.0)));
    assert_eq!(column(&first, "big")["dtype"], "boolean");
    let warnings = first["warnings"].to_string();
    assert!(warnings.contains("note"), "an all-missing column is warned about: {warnings}");

    let second = admin.upload(&name, CSV.replace("4.0", "5.0")).await.expect(201);
    assert_eq!(second["version"], 2);
    assert_ne!(second["sha256"], first["sha256"]);
    let shown = admin.get(&format!("/datasets/{name}")).await.expect(200);
    assert_eq!(shown["version"], 2);
    let preview = admin.get(&format!("/datasets/{name}/preview")).await.expect(200);
    assert!(preview.to_string().contains("gr,een"), "{preview}");
    admin.delete(&format!("/datasets/{name}")).await.expect(204);
    admin.get(&format!("/datasets/{name}")).await.problem(404);
    admin.delete(&format!("/datasets/{name}")).await.problem(404);
}

async fn gzip_and_multipart_uploads_work(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("gz");
    let request = admin.request(Method::POST, &format!("/datasets?name={name}"));
    let request = request.header("content-type", "text/csv").header("content-encoding", "gzip");
    let zipped = admin.send(request.body(gzip(CSV.as_bytes()))).await.expect(201);
    let form = reqwest::multipart::Form::new().part("file", reqwest::multipart::Part::text(CSV).file_name("d.csv"));
    let request = admin.request(Method::POST, &format!("/datasets?name={name}")).multipart(form);
    let posted = admin.send(request).await.expect(201);
    assert_eq!(zipped["sha256"], posted["sha256"], "the digest is that of the decompressed CSV");
}

async fn tables_of_other_formats_are_read_and_previewed(system: &System) {
    let admin = system.client().admin().await;
    let (name, text) = (unique("wide"), "sep=;\nGröße;when;zip\n1,5;31.12.2024;01067\n2,5;01.01.2025;10115\n");
    let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let request = admin.request(Method::POST, &format!("/datasets?name={name}&types=zip:text"));
    let stored = admin.send(request.header("content-type", "application/gzip").body(gzip(&utf_16))).await.expect(201);
    assert_eq!((&stored["format"]["delimiter"], &stored["format"]["decimal"]), (&json!(";"), &json!(",")));
    let dtypes = ["Größe", "when", "zip"].map(|name| &column(&stored, name)["dtype"]);
    assert_eq!(dtypes, [&json!("number"), &json!("datetime"), &json!("text")]);
    assert_eq!(column(&stored, "when")["max"], "2025-01-01T00:00:00Z");

    let shown = admin.get(&format!("/datasets/{name}")).await.expect(200);
    assert_eq!((&shown["format"], &shown["columns"]), (&stored["format"], &stored["columns"]));
    let preview = admin.get(&format!("/datasets/{name}/preview")).await.expect(200);
    assert_eq!(preview["columns"], json!(["Größe", "when", "zip"]));
    assert_eq!(preview["rows"][0], json!(["1,5", "31.12.2024", "01067"]));
}

async fn a_dry_run_stores_nothing(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("dry");
    let request = admin.request(Method::POST, &format!("/datasets?name={name}&dry_run=true"));
    let planned = admin.send(request.header("content-type", "text/csv").body(CSV)).await.expect(200);
    assert_eq!((&planned["rows"], planned.get("version")), (&json!(4), None));
    admin.get(&format!("/datasets/{name}")).await.problem(404);
    let stored = admin.upload(&name, CSV).await.expect(201);
    assert_eq!((&stored["version"], &stored["columns"]), (&json!(1), &planned["columns"]));
}

async fn a_dataset_with_an_active_job_is_not_deleted(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("kept");
    admin.upload(&name, std::fs::read("../datasets/titanic.csv").unwrap()).await.expect(201);
    let mut job = quick_job(&name);
    job["dataset"] = json!(name);
    job["target"] = json!("survived");
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    let id = admin.submit(job).await;
    admin.delete(&format!("/datasets/{name}")).await.problem(409);
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    admin.delete(&format!("/datasets/{name}")).await.expect(204);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
