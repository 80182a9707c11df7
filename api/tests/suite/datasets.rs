//! Uploads of datasets: accepted and refused CSVs, and the removal of temporary files.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use http::Method;
use serde_json::json;
use trainyard_api::{ApiConfig, seed_datasets};
use trainyard_artifacts::Key;

use crate::support::{Answer, Api, Caller, config};

const CSV: &str = "height,colour\n1.5,red\n2.5,\"gr,een\"\n,red\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn upload_gzip(caller: &Caller<'_>, bytes: Vec<u8>) -> Answer {
    let request = caller.request(Method::POST, "/datasets?name=packed").header("content-type", "text/csv");
    caller.send(request.header("content-encoding", "gzip"), bytes).await
}

async fn upload_form(caller: &Caller<'_>, parts: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, text) in parts {
        body +=
            &format!("--B\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"x.csv\"\r\n\r\n{text}\r\n");
    }
    body += "--B--\r\n";
    let request = caller.request(Method::POST, "/datasets?name=form");
    caller.send(request.header("content-type", "multipart/form-data; boundary=B"), body).await
}

#[tokio::test]
async fn every_way_of_uploading_stores_the_same_csv() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let plain = admin.upload("plain", CSV).await.ok(201);
    assert_eq!((&plain["version"], &plain["rows"], &plain["column_count"]), (&json!(1), &json!(3), &json!(2)));
    assert_eq!(plain["columns"][0]["missing"], 1);
    let (head, tail) = CSV.as_bytes().split_at(20);
    // A gzip file with two members, as from `cat a.gz b.gz`.
    let packed = upload_gzip(&admin, [gzip(head), gzip(tail)].concat()).await.ok(201);
    let form = upload_form(&admin, &[("file", CSV)]).await.ok(201);
    assert_eq!((&packed["sha256"], &form["sha256"]), (&plain["sha256"], &plain["sha256"]));

    assert_eq!(admin.upload("plain", CSV.replace("1.5", "1.6")).await.ok(201)["version"], 2);
    assert_eq!(admin.get("/datasets/plain").await.ok(200)["version"], 2);
    assert_eq!(admin.get("/datasets/plain?version=1").await.ok(200)["sha256"], plain["sha256"]);
    let preview = admin.get("/datasets/plain/preview").await.ok(200);
    assert_eq!(preview["columns"], json!(["height", "colour"]));
    assert_eq!(preview["rows"][2], json!([null, "red"]));
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_uploads_of_one_name_get_consecutive_versions() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let uploads = (0..4).map(|_| async { admin.upload("busy", CSV).await.ok(201)["version"].as_i64().unwrap() });
    let mut versions = futures::future::join_all(uploads).await;
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_malformed_csv_is_refused_with_its_row_and_leaves_no_files() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let before = api.objects().await;
    let wide = (0..1_000_000).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let cases: [(&[u8], &str); 5] = [
        (b"", "empty"),
        (b"a,b\n", "no data rows"),
        (b"a,b\n1,2\n3,4,5\n", "row 2"),
        (b"\x89PNG\r\n\x1a\n\0", "PNG"),
        (wide.as_bytes(), "columns"),
    ];
    for (csv, hint) in cases {
        let problem = admin.upload("bad", csv.to_vec()).await.problem(422);
        assert_eq!(problem["errors"][0]["field"], "file");
        assert!(problem.to_string().contains(hint), "{hint:?} is not in {problem}");
    }
    admin.get("/datasets/bad").await.problem(404);
    assert_eq!((api.objects().await, api.leftovers()), (before, vec![]));
}

#[tokio::test]
async fn a_csv_over_the_size_limit_is_refused_also_when_compressed() {
    let api = Api::with(ApiConfig { max_dataset_bytes: 100_000, ..config() }).await;
    let admin = api.admin().await;
    let rows = |n: usize| format!("a,b\n{}", "1,2\n".repeat(n));
    admin.upload("fits", rows(24_000)).await.ok(201);
    assert_eq!(admin.upload("large", rows(26_000)).await.problem(413)["code"], "payload_too_large");
    upload_form(&admin, &[("file", &rows(26_000))]).await.problem(413);
    // 100 MB compressed to less than 100 kB.
    let bomb = gzip(&vec![b'1'; 100_000_000]);
    assert!(bomb.len() < 100_000);
    upload_gzip(&admin, bomb).await.problem(413);
    // Many gzip members without content.
    upload_gzip(&admin, gzip(b"").repeat(10_000)).await.problem(413);
    // An endless body without a content length.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'1'; 1000])));
    admin.upload("endless", Body::from_stream(endless)).await.problem(413);
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn malformed_gzip_and_forms_are_refused() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let mut cut = gzip(CSV.as_bytes());
    cut.truncate(cut.len() - 6);
    assert_eq!(upload_gzip(&admin, cut).await.refused(), ["file"]);
    assert_eq!(upload_gzip(&admin, CSV.into()).await.refused(), ["file"]);
    assert_eq!(upload_form(&admin, &[]).await.refused(), ["file"]);
    assert_eq!(upload_form(&admin, &[("file", CSV), ("file", CSV)]).await.refused(), ["file"]);
    assert_eq!(upload_form(&admin, &[("data", CSV)]).await.refused(), ["data"]);

    let send = async |header: (&str, &str), body: &'static str| {
        admin.send(admin.request(Method::POST, "/datasets?name=x").header(header.0, header.1), body).await
    };
    send(("content-type", "multipart/form-data; boundary=B"), "--B\r\ncontent-dis").await.problem(400);
    send(("content-type", "multipart/form-data"), "--B--").await.problem(400);
    send(("content-type", "application/json"), "{}").await.problem(415);
    send(("x-nothing", ""), CSV).await.problem(415);
    let request = admin.request(Method::POST, "/datasets?name=x").header("content-type", "text/csv");
    admin.send(request.header("content-encoding", "br"), CSV).await.problem(415);
    assert_eq!(admin.upload("Bad%20Name", CSV).await.refused(), ["name"]);
}

#[tokio::test]
async fn the_built_in_dataset_can_not_be_replaced_or_deleted() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let titanic = admin.get("/datasets/titanic").await.ok(200);
    assert_eq!((&titanic["rows"], &titanic["created_by"]), (&json!(1309), &json!(null)));
    admin.delete("/datasets/titanic").await.problem(409);
    admin.upload("titanic", CSV).await.problem(409);

    // Two more replicas start after the object store has lost the object.
    let key = Key::dataset(titanic["id"].as_str().unwrap().parse().unwrap());
    api.state.store.delete(&key).await.unwrap();
    let (a, b) = tokio::join!(seed_datasets(&api.state), seed_datasets(&api.state));
    a.and(b).unwrap();
    assert_eq!(admin.get("/datasets/titanic").await.ok(200), titanic);
    let preview = admin.get("/datasets/titanic/preview").await.ok(200);
    assert_eq!(preview["rows"].as_array().unwrap().len(), 50);
    assert_eq!(api.objects().await, 1);
}

#[tokio::test]
async fn a_preview_finds_rows_longer_than_its_first_read() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let row = format!("{},{}\n", "x".repeat(40_000), "y".repeat(40_000));
    admin.upload("long", format!("a,b\n{}", row.repeat(60))).await.ok(201);
    let preview = admin.get("/datasets/long/preview").await.ok(200);
    let rows = preview["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 50);
    assert!(rows.iter().all(|row| row[1].as_str().unwrap().starts_with("yyyy")));
}

#[tokio::test]
async fn a_dataset_with_an_active_job_can_not_be_deleted() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let before = api.objects().await;
    admin.upload("mine", "x,y\n1,0\n2,1\n3,0\n").await.ok(201);
    admin.upload("mine", "x,y\n1,0\n2,1\n4,0\n").await.ok(201);
    let job = json!({"name": "m", "algorithm": "random_forest", "features": ["x"], "dataset": "mine", "target": "y"});
    let id = admin.post("/training", job).await.ok(202)["job_id"].take();
    admin.delete("/datasets/mine").await.problem(409);
    let cancel = format!("/training/{}/cancel", id.as_str().unwrap());
    admin.post(&cancel, json!(null)).await.ok(202);
    admin.delete("/datasets/mine").await.ok(204);
    assert_eq!(api.objects().await, before);
    admin.delete("/datasets/mine").await.problem(404);
    // A job of a deleted dataset can't be retried.
    admin.post(&cancel.replace("cancel", "retry"), json!(null)).await.problem(409);
}
