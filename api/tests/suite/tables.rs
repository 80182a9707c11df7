//! How uploaded tables are read: detection, parameters, content types, dry runs and refusals.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use serde_json::{Value, json};
use trainyard_api::ApiConfig;

use crate::support::{Answer, Api, Caller, config};

/// Uploads a table with these query parameters, besides its name.
async fn upload(caller: &Caller<'_>, content_type: &str, query: &str, table: impl Into<Vec<u8>>) -> Answer {
    let request = caller.request(Method::POST, &format!("/datasets?name=t{query}"));
    caller.send(request.header("content-type", content_type), table.into()).await
}

async fn taken(caller: &Caller<'_>, query: &str, table: impl Into<Vec<u8>>) -> Value {
    upload(caller, "text/csv", query, table).await.ok(201)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf_16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn names(table: &Value) -> Vec<&str> {
    table["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect()
}

fn dtypes(table: &Value) -> Vec<&str> {
    table["columns"].as_array().unwrap().iter().map(|column| column["dtype"].as_str().unwrap()).collect()
}

fn warned(table: &Value, hint: &str) -> bool {
    table["warnings"].as_array().unwrap().iter().any(|warning| warning.as_str().unwrap().contains(hint))
}

#[tokio::test]
async fn delimiters_are_detected_and_reported() {
    let api = Api::start().await;
    let admin = api.admin().await;
    for (table, delimiter, decimal) in [
        ("x;y\n1;a\n2;b\n", ";", "."),
        ("x;y\n1,5;a\n2,5;b\n", ";", ","),
        ("x\ty\n1\ta\n2\tb\n", "tab", "."),
        ("x|y\n1|a\n2|b\n", "|", "."),
        ("x,y\n1,a\n2,b\n", ",", "."),
    ] {
        let answer = taken(&admin, "", table).await;
        let format = &answer["format"];
        assert_eq!((&format["delimiter"], &format["decimal"]), (&json!(delimiter), &json!(decimal)), "{table}");
        assert_eq!((names(&answer), dtypes(&answer)), (vec!["x", "y"], vec!["number", "category"]), "{table}");
        assert_eq!((&format["encoding"], &format["header"]), (&json!("utf-8"), &json!("present")));
    }
    let excel = taken(&admin, "", "sep=;\nx;y\n1;a\n2;b\n").await;
    assert_eq!((names(&excel), &excel["format"]["skipped_lines"]), (vec!["x", "y"], &json!(1)));
}

#[tokio::test]
async fn encodings_are_detected_declared_or_set() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let latin: &[u8] = b"gr\xf6\xdfe,y\n1,a\n2,b\n";
    let guessed = taken(&admin, "", latin).await;
    assert_eq!((names(&guessed), &guessed["format"]["encoding"]), (vec!["größe", "y"], &json!("windows-1252")));
    assert!(warned(&guessed, "windows-1252") || warned(&guessed, "Windows-1252"), "{guessed}");

    let declared = upload(&admin, "text/csv; charset=\"ISO-8859-1\"", "", latin).await.ok(201);
    assert_eq!(names(&declared), ["größe", "y"]);
    assert!(!warned(&declared, "indows-1252"), "{declared}");
    let set = upload(&admin, "text/csv; charset=utf-8", "&encoding=windows-1252", latin).await.ok(201);
    assert_eq!(names(&set), ["größe", "y"], "the parameter wins");

    let wide = taken(&admin, "", utf_16("größe\ty\n1\ta\n2\tb\n")).await;
    assert_eq!((names(&wide), &wide["format"]["delimiter"]), (vec!["größe", "y"], &json!("tab")));
    assert!(wide["format"]["encoding"].as_str().unwrap().starts_with("utf-16"), "{wide}");
    let preview = admin.get("/datasets/t/preview").await.ok(200);
    assert_eq!((&preview["columns"], &preview["rows"][1]), (&json!(["größe", "y"]), &json!(["2", "b"])));
}

#[tokio::test]
async fn a_preview_reads_by_the_stored_format() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let mut table = String::from("sep=;\nx;note\n");
    for row in 0..3_000 {
        writeln!(table, "{row},5;\"a;{}\"", "b".repeat(row % 400)).unwrap();
    }
    // More than the first read of a preview, in each of the encodings.
    for (bytes, encoding) in [(table.clone().into_bytes(), "utf-8"), (utf_16(&table), "utf-16le")] {
        assert!(bytes.len() > 600_000 || encoding == "utf-8");
        assert_eq!(taken(&admin, "", bytes).await["format"]["encoding"], encoding);
        let preview = admin.get("/datasets/t/preview").await.ok(200);
        assert_eq!(preview["columns"], json!(["x", "note"]));
        assert_eq!((preview["rows"].as_array().unwrap().len(), &preview["rows"][2]), (50, &json!(["2,5", "a;bb"])));
    }
    taken(&admin, "&header=absent&missing=unknown", "6,unknown\n1,85\n").await;
    let preview = admin.get("/datasets/t/preview").await.ok(200);
    assert_eq!((&preview["columns"], &preview["rows"][0]), (&json!(["column_1", "column_2"]), &json!(["6", null])));
}

#[tokio::test]
async fn every_parameter_wins_over_the_detection() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let comma = taken(&admin, "&delimiter=,", "a;b,c\n1;2,3\n4;5,6\n").await;
    assert_eq!(names(&comma), ["a;b", "c"]);
    let tab = taken(&admin, "&delimiter=tab", "a,b\tc\n1,2\t3\n4,5\t6\n").await;
    assert_eq!(names(&tab), ["a,b", "c"]);
    let semicolon = taken(&admin, "&delimiter=;&decimal=,", "a;b\n1,5;2\n2,5;3\n").await;
    assert_eq!((&semicolon["columns"][0]["min"], &semicolon["columns"][0]["max"]), (&json!(1.5), &json!(2.5)));

    let bare = "6,148,yes\n1,85,no\n8,183,yes\n";
    let absent = taken(&admin, "&header=absent", bare).await;
    assert_eq!((names(&absent), &absent["rows"]), (vec!["column_1", "column_2", "column_3"], &json!(3)));
    let present = taken(&admin, "&header=present", bare).await;
    assert_eq!((names(&present), &present["rows"]), (vec!["6", "148", "yes"], &json!(2)));
    let declared = upload(&admin, "text/csv; header=absent", "", bare).await.ok(201);
    assert_eq!(declared["rows"], 3);
    let overruled = upload(&admin, "text/csv; header=absent", "&header=present", bare).await.ok(201);
    assert_eq!(overruled["rows"], 2);

    let plain = "x,y\n-9,unknown\n1,a\n2,b\n";
    let marked = taken(&admin, "&missing=-9,unknown", plain).await;
    assert_eq!((&marked["columns"][0]["missing"], &marked["columns"][1]["missing"]), (&json!(1), &json!(1)));
    let listed = marked["format"]["missing"].as_array().unwrap();
    assert!(listed.contains(&json!("-9")) && listed.contains(&json!("unknown")), "{listed:?}");

    let typed = taken(&admin, "&types=zip:category,when:text", "zip,when\n10115,2024-01-01\n20095,2024-01-02\n").await;
    assert_eq!(dtypes(&typed), ["category", "text"]);
    assert_eq!(taken(&admin, "&types=", "x\n1\n2\n").await["rows"], 2);
}

#[tokio::test]
async fn wrong_parameters_are_refused_together_with_their_value_and_the_allowed_ones() {
    let api = Api::with(ApiConfig { max_missing_markers: 2, ..config() }).await;
    let admin = api.admin().await;
    let wrong = "&delimiter=comma&decimal=;&encoding=klingon&header=maybe&dry_run=1";
    let problem = upload(&admin, "text/csv", wrong, "x\n1\n").await.problem(422);
    let errors = problem["errors"].as_array().unwrap();
    for (field, value, allowed) in [
        ("delimiter", "'comma'", "auto, ',', ';', tab or '|'"),
        ("decimal", "';'", "auto, '.' or ','"),
        ("encoding", "'klingon'", "windows-1252"),
        ("header", "'maybe'", "auto, present or absent"),
        ("dry_run", "", "true or false"),
    ] {
        let error = errors.iter().find(|error| error["field"] == field).unwrap_or_else(|| panic!("{field}: {problem}"));
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(value) && message.contains(allowed), "{message}");
    }
    let wrong = "&missing=a,b,c&types=x:string";
    let problem = upload(&admin, "text/csv", wrong, "x\n1\n").await.problem(422).to_string();
    for hint in ["api.max_missing_markers", "'string'", "number, category, boolean, datetime or text"] {
        assert!(problem.contains(hint), "{hint} is not in {problem}");
    }
    let unknown = upload(&admin, "text/csv", "&types=zap:number,x:text", "x\n1\n2\n").await;
    assert_eq!(unknown.json["errors"].as_array().unwrap().len(), 1);
    assert!(unknown.json["errors"][0]["message"].as_str().unwrap().contains("'zap'"));
    assert_eq!(unknown.refused(), ["types"]);
    assert_eq!(upload(&admin, "text/csv", "&delimeter=,", "x\n1\n").await.refused(), ["delimeter"]);
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn a_dry_run_answers_what_would_be_stored_and_stores_nothing() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let (objects, table) = (api.objects().await, "x;y\n1,5;a\n2,5;b\n1,5;a\n");
    let audit = admin.get("/admin/audit").await.ok(200);
    let planned = upload(&admin, "text/csv", "&dry_run=true", table).await.ok(200);
    assert_eq!((api.objects().await, api.leftovers()), (objects, vec![]));
    assert_eq!(admin.get("/admin/audit").await.ok(200)["items"], audit["items"], "no entry in the audit log");
    admin.get("/datasets/t").await.problem(404);

    let stored = upload(&admin, "text/csv", "&dry_run=false", table).await.ok(201);
    assert_eq!(stored["version"], 1, "the dry run took no version");
    for field in ["name", "rows", "bytes", "format", "columns", "column_count", "duplicate_rows", "sha256", "warnings"]
    {
        assert_eq!(planned[field], stored[field], "{field}");
    }
    assert_eq!((planned.get("id"), planned.get("version")), (None, None));
    assert_eq!(upload(&admin, "text/csv", "&dry_run=true", "").await.refused(), ["file"]);
}

#[tokio::test]
async fn content_types_of_browsers_and_operating_systems_are_taken() {
    let api = Api::start().await;
    let admin = api.admin().await;
    for content_type in [
        "text/csv",
        "TEXT/CSV; charset=utf-8",
        "text/x-csv",
        "application/csv",
        "text/plain",
        "application/vnd.ms-excel",
        "application/octet-stream",
    ] {
        assert_eq!(
            upload(&admin, content_type, "", "x,y\n1,a\n2,b\n").await.ok(201)["column_count"],
            2,
            "{content_type}"
        );
    }
    let tabs = upload(&admin, "text/tab-separated-values", "", "x\ty\n1\ta\n").await.ok(201);
    assert_eq!(names(&tabs), ["x", "y"]);
    for content_type in ["application/json", "application/pdf", "application/x-www-form-urlencoded", ""] {
        let refused = upload(&admin, content_type, "", "x,y\n1,a\n").await.problem(415);
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("text/csv") && detail.contains("multipart/form-data"), "{detail}");
    }
}

#[tokio::test]
async fn the_file_of_a_form_has_its_own_content_type() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let send = async |part_type: &str, content: &[u8]| {
        let mut body = format!(
            "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\ncontent-type: {part_type}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--B--\r\n");
        upload(&admin, "multipart/form-data; boundary=B", "", body).await.ok(201)
    };
    let latin = send("text/csv; charset=windows-1252", b"gr\xf6\xdfe,y\n1,a\n2,b\n").await;
    assert_eq!(names(&latin), ["größe", "y"]);
    assert!(!warned(&latin, "indows-1252"), "{latin}");
    let excel = send("application/vnd.ms-excel", b"x;y\n1;a\n2;b\n").await;
    assert_eq!(names(&excel), ["x", "y"]);
    let packed = send("application/gzip", &gzip(b"x;y\n1;a\n2;b\n")).await;
    assert_eq!(packed["sha256"], excel["sha256"], "the digest is that of the decompressed file");
}

#[tokio::test]
async fn gzip_is_recognized_by_its_first_bytes_and_limited() {
    let api = Api::with(ApiConfig { max_dataset_bytes: 100_000, ..config() }).await;
    let admin = api.admin().await;
    let table = "x,y\n1,a\n2,b\n";
    let plain = taken(&admin, "", table).await;
    let members = [gzip(&table.as_bytes()[..5]), gzip(&table.as_bytes()[5..])].concat();
    for (content_type, body) in [("text/csv", gzip(table.as_bytes())), ("application/x-gzip", members)] {
        let packed = upload(&admin, content_type, "", body).await.ok(201);
        assert_eq!((&packed["sha256"], &packed["bytes"]), (&plain["sha256"], &plain["bytes"]), "{content_type}");
    }
    // A gzip file that is compressed again for the transfer.
    let request = admin.request(Method::POST, "/datasets?name=t").header("content-type", "application/gzip");
    let twice = admin.send(request.header("content-encoding", "gzip"), gzip(&gzip(table.as_bytes()))).await.ok(201);
    assert_eq!(twice["sha256"], plain["sha256"]);

    let bomb = gzip(&vec![b'1'; 100_000_000]);
    assert!(bomb.len() < 100_000);
    upload(&admin, "application/gzip", "", bomb).await.problem(413);
    let mut cut = gzip(table.as_bytes());
    cut.truncate(cut.len() - 6);
    let problem = upload(&admin, "application/gzip", "", cut).await.problem(422).to_string();
    assert!(problem.contains("gzip"), "{problem}");
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn repaired_tables_are_taken_with_a_warning() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let row_names = taken(&admin, "", "\"\",\"x\",\"y\"\n\"1\",1,\"a\"\n\"2\",2,\"b\"\n\"3\",3,\"b\"\n").await;
    assert_eq!(row_names["column_count"], 3);
    assert!(!names(&row_names)[0].is_empty() && !row_names["warnings"].as_array().unwrap().is_empty(), "{row_names}");
    let job = json!({"name": "m", "algorithm": "random_forest", "features": ["*"], "dataset": "t", "target": "y"});
    let spec = admin.post("/training", job).await.ok(202);
    let view = admin.get(&format!("/training/{}", spec["job_id"].as_str().unwrap())).await.ok(200);
    assert_eq!(view["spec"]["features"], json!(["x"]), "row names are no feature");

    let trailing = taken(&admin, "", "x,y,\n1,a,\n2,b,\n").await;
    assert_eq!(names(&trailing), ["x", "y"]);
    assert!(!trailing["warnings"].as_array().unwrap().is_empty(), "{trailing}");
    let twice = taken(&admin, "", "x,x,y\n1,2,a\n2,3,b\n").await;
    assert_eq!(names(&twice), ["x", "x_2", "y"]);
    assert!(warned(&twice, "x_2"), "{twice}");
    let short = taken(&admin, "", "x,y,note\n1,a,ok\n2,b\n").await;
    assert_eq!(short["columns"][2]["missing"], 1);
    assert!(warned(&short, "1 row"), "{short}");
    let bare = taken(&admin, "", "6,148,yes\n1,85,no\n8,183,yes\n").await;
    assert_eq!((&bare["format"]["header"], &bare["rows"]), (&json!("present"), &json!(2)));
    assert!(warned(&bare, "header=absent"), "{bare}");
}

#[tokio::test]
async fn values_have_types_with_a_distribution() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let mut table = String::from("day,amount,price,class\n");
    for row in 0..40 {
        let amount = if row == 3 { "inf".to_owned() } else { format!("{}.5", row) };
        let class = ["a", "b", "c", "d", "e", "f"][row % 6];
        writeln!(table, "2024-01-{:02},{amount},\"{},{:03}\",{class}", row % 28 + 1, 100 + row, row).unwrap();
    }
    let profile = taken(&admin, "", table).await;
    assert_eq!(dtypes(&profile), ["datetime", "number", "number", "category"]);
    let [day, amount, price, class] = [0, 1, 2, 3].map(|at| &profile["columns"][at]);
    assert_eq!((&day["min"], &day["max"]), (&json!("2024-01-01T00:00:00Z"), &json!("2024-01-28T00:00:00Z")));
    assert_eq!(day["histogram"]["edges"][0], "2024-01-01T00:00:00Z");
    assert_eq!((&amount["missing"], amount["histogram"]["edges"].as_array().unwrap().len()), (&json!(1), 11));
    let counts = |column: &Value| {
        column["histogram"]["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((counts(amount), counts(day)), (39, 40));
    assert!(warned(&profile, "'amount'") && warned(&profile, "'price'"), "{profile}");
    assert!(!amount["warnings"].as_array().unwrap().is_empty(), "a column has its own warnings");
    assert_eq!((&price["min"], &price["max"]), (&json!(100_000.0), &json!(139_039.0)));
    assert_eq!((class["top"].as_array().unwrap().len(), class.get("histogram")), (5, None));
    assert!(profile["suggested_target"].is_string() && profile["suggested_task"].is_string(), "{profile}");

    let listed = admin.get("/datasets").await.ok(200);
    let listed = listed["items"].as_array().unwrap().iter().find(|dataset| dataset["name"] == "t").unwrap();
    assert_eq!((&listed["format"], listed["columns"][1].get("histogram")), (&profile["format"], None));
}

#[tokio::test]
async fn other_files_and_broken_rows_are_refused_by_name() {
    let api = Api::with(ApiConfig { max_dataset_row_bytes: 2_000, ..config() }).await;
    let admin = api.admin().await;
    let mut nul = "x,y\n".to_owned() + &"1,a\n".repeat(50);
    nul.push_str("\0,b\n");
    let cases: [(Vec<u8>, &[&str]); 7] = [
        (nul.into(), &["row 51", "'x'"]),
        ("<!DOCTYPE html>\n<html><body>\n<p>404</p>\n</body></html>\n".into(), &["HTML"]),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n".to_vec(), &["PDF"]),
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0xl/workbook.xml".to_vec(), &["Excel"]),
        (b"PAR1\x15\x04\x15\x10".to_vec(), &["Parquet"]),
        ("x,y\n1,a\n2,b,c,d\n".into(), &["row 2"]),
        (format!("x,y\n1,\"{}\n", "a\n".repeat(3_000)).into(), &["row 1"]),
    ];
    for (file, hints) in cases {
        let problem = refusal(&admin, file).await;
        for hint in hints {
            assert!(problem.contains(hint), "{hint} is not in {problem}");
        }
    }
    assert_eq!(api.leftovers(), Vec::<String>::new());
}

async fn refusal(admin: &Caller<'_>, file: Vec<u8>) -> String {
    let problem = upload(admin, "text/csv", "", file).await.problem(422);
    assert_eq!(problem["errors"][0]["field"], "file");
    problem.to_string()
}
