//! Tests of `lookup` in templates: a small API server with one Secret replaces the cluster.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::chart::{MINIMAL, Rendered, helm, validated};

/// The resource kinds of the chart's smallest release, by API group; "" is the core group.
const KINDS: &[(&str, &[&str])] = &[
    ("", &["Secret", "Service", "ServiceAccount", "Pod"]),
    ("apps", &["Deployment"]),
    ("batch", &["Job"]),
    ("policy", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", &["Role", "RoleBinding"]),
];

/// Answers Helm's requests about a cluster that has one Secret of an earlier release. Stops with the test process.
fn start(data: &Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "name": "demo-trainyard", "namespace": "ml", "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "demo", "meta.helm.sh/release-namespace": "ml"},
    });
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data});
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let secret = secret.clone();
            std::thread::spawn(move || serve(&stream.unwrap(), &secret));
        }
    });
    url
}

fn serve(mut stream: &TcpStream, secret: &Value) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let missing = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
    let (status, body) = answer(path, secret).map_or((404, missing), |body| (200, body));
    let (body, head) = (body.to_string(), "content-type: application/json\r\nconnection: close");
    // Helm may have disconnected.
    let _ = write!(stream, "HTTP/1.1 {status} -\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

fn answer(path: &str, secret: &Value) -> Option<Value> {
    Some(match path {
        "/version" => json!({"major": "1", "minor": "31", "gitVersion": "v1.31.0"}),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis" => {
            let groups = KINDS.iter().filter(|(group, _)| !group.is_empty()).map(|(group, _)| {
                let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
                json!({"name": group, "versions": [version], "preferredVersion": version})
            });
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>()})
        }
        "/api/v1/namespaces/ml/secrets/demo-trainyard" => secret.clone(),
        path => {
            let version = path.strip_prefix("/apis/").or(path.strip_prefix("/api/"))?;
            let named = |group: &str| format!("{group}/v1").trim_start_matches('/') == version;
            let (_, kinds) = KINDS.iter().find(|(group, _)| named(group))?;
            let resources = kinds.iter().map(|kind| {
                let name = kind.to_lowercase();
                json!({"name": format!("{name}s"), "singularName": name, "namespaced": true, "kind": kind, "verbs": ["get"]})
            });
            json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources.collect::<Vec<_>>()})
        }
    })
}

/// The chart's Secret after an upgrade, given its previous content.
fn upgrade(kept: &Value, values: &[&str]) -> Value {
    let url = start(kept);
    let mut arguments =
        vec!["--is-upgrade", "--dry-run=server", "--disable-openapi-validation", "--kube-apiserver", &url];
    arguments.extend(values);
    let output = helm(&["template", "demo"], MINIMAL, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let set = Rendered { name: "upgrade".into(), manifests: validated(&output.stdout) };
    set.get("Secret", "demo-trainyard")["data"].clone()
}

#[test]
fn generated_secrets_survive_upgrades() {
    let kept = json!({
        "JWT_SECRET": STANDARD.encode("j".repeat(48)),
        "ADMIN_PASSWORD": STANDARD.encode("the first password"),
        "TRAINYARD__WEBHOOKS__SECRET": STANDARD.encode("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "REDIS_URL": STANDARD.encode("redis://elsewhere"),
    });
    let data = upgrade(&kept, &[]);
    for made_up in ["JWT_SECRET", "ADMIN_PASSWORD", "TRAINYARD__WEBHOOKS__SECRET"] {
        assert_eq!(data[made_up], kept[made_up], "{made_up}");
    }
    assert_eq!(data["REDIS_URL"], STANDARD.encode("redis://redis:6379"), "what the values say is what the values say");
    let rotated = "n".repeat(40);
    let data = upgrade(&kept, &["--set", &format!("auth.jwtSecret={rotated}")]);
    assert_eq!(data["JWT_SECRET"], STANDARD.encode(&rotated));
}

#[test]
fn missing_keys_of_an_older_secret_are_generated() {
    let data = upgrade(&json!({}), &[]);
    let text = |key: &str| String::from_utf8(STANDARD.decode(data[key].as_str().unwrap()).unwrap()).unwrap();
    assert!(text("JWT_SECRET").len() >= 32);
    assert!(text("ADMIN_PASSWORD").len() >= 16);
    let key = STANDARD.decode(text("TRAINYARD__WEBHOOKS__SECRET").strip_prefix("whsec_").unwrap()).unwrap();
    assert!((24..=64).contains(&key.len()));
}
