//! Ingress routes, and network policies.

use serde_json::{Value, json};

use crate::chart::{MINIMAL, Rendered, SETS, env, list, render, root};

fn set(name: &str) -> &'static Rendered {
    SETS.iter().find(|set| set.name == name).unwrap()
}

/// The Service of an Ingress path: exact matches first, then the longest prefix of whole segments.
fn backend<'i>(ingress: &'i Value, host: usize, path: &str) -> &'i str {
    let matching = |rule: &&Value| {
        let wanted = rule["path"].as_str().unwrap();
        let inside = path.strip_prefix(wanted.trim_end_matches('/'));
        match rule["pathType"].as_str().unwrap() {
            "Exact" => path == wanted,
            _ => inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    };
    let rank = |rule: &&Value| (rule["pathType"] == "Exact", rule["path"].as_str().unwrap().len());
    let paths = list(&ingress["spec"]["rules"][host]["http"]["paths"]);
    let rule = paths.iter().filter(matching).max_by_key(rank).unwrap();
    rule["backend"]["service"]["name"].as_str().unwrap()
}

#[test]
fn pods_behind_the_ingress_trust_the_client_address_of_its_controller() {
    const TRUSTED: &str = "TRAINYARD__SERVER__TRUSTED_PROXIES";
    let private = Some("10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7");
    for (role, expected) in [("api", private), ("inference", private), ("worker", None), ("migrate", None)] {
        assert_eq!(env(set("production").pod(role), TRUSTED), expected, "{role}");
    }
    assert_eq!(env(set(MINIMAL).pod("api"), TRUSTED), None, "without an Ingress no proxy is trusted");
    let narrow = render("production", &["--set", "ingress.trustedProxies={10.42.0.0/24}"]);
    assert_eq!(env(narrow.pod("api"), TRUSTED), Some("10.42.0.0/24"));
    let own = render(MINIMAL, &["--set", "settings.server.trusted_proxies=10.42.0.9"]);
    assert_eq!(env(own.pod("api"), TRUSTED), Some("10.42.0.9"), "a proxy that the chart knows nothing of");
}

/// The definition of a service in `docker-compose.yml`.
fn compose(service: &str) -> String {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let (_, from) = text.split_once(&format!("\n  {service}:\n")).unwrap();
    let lines = from.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn roles_under_compose_trust_only_the_client_address_of_the_gateway() {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let address = "${GATEWAY_ADDRESS:-172.30.57.2}";
    let trusted = format!("TRAINYARD__SERVER__TRUSTED_PROXIES: ${{TRAINYARD__SERVER__TRUSTED_PROXIES:-{address}}}");
    assert!(text.contains(&trusted), "{trusted}");
    assert!(compose("gateway").contains(&format!("ipv4_address: \"{address}\"")), "{}", compose("gateway"));
    for role in ["api", "inference"] {
        assert!(compose(role).contains("*behind-gateway"), "{}", compose(role));
    }
    let gateway = std::fs::read_to_string(root().join("deploy/nginx.conf")).unwrap();
    for header in ["X-Forwarded-For $proxy_add_x_forwarded_for", "Forwarded \"\""] {
        assert!(gateway.contains(&format!("proxy_set_header {header};")), "{header}");
    }
}

#[test]
fn the_ingress_routes_predictions_to_the_pool_and_the_rest_to_the_api() {
    let ingress = set("production").get("Ingress", "trainyard");
    for (host, name) in ["trainyard.example.com", "ml.example.com"].into_iter().enumerate() {
        assert_eq!(ingress["spec"]["rules"][host]["host"], name);
        for (path, service) in [
            ("/inference", "trainyard-inference"),
            ("/inference/", "trainyard-inference"),
            ("/", "trainyard-api"),
            ("/training/1/events", "trainyard-api"),
            ("/v2", "trainyard-inference"),
            ("/v2/models/m/infer", "trainyard-inference"),
            ("/inferences", "trainyard-api"),
            ("/v20", "trainyard-api"),
            ("/health/ready", "trainyard-api"),
            ("/metrics", "trainyard-nowhere"),
        ] {
            assert_eq!(backend(ingress, host, path), service, "{name}{path}");
            assert!(set("production").find("Service", service).is_some());
        }
    }
    assert_eq!(ingress["spec"]["ingressClassName"], "nginx");
    assert_eq!(ingress["spec"]["tls"][0]["secretName"], "trainyard-tls");
    assert_eq!(ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"], "1100m");
}

#[test]
fn grpc_has_a_port_of_its_own() {
    for (values, port) in [("production", Some(9000)), (MINIMAL, Some(8001)), ("existing-secrets", None)] {
        let set = set(values);
        let ports = list(&set.get("Service", "-inference")["spec"]["ports"]);
        let grpc = ports.iter().find(|port| port["name"] == "grpc");
        assert_eq!(grpc.map(|port| port["port"].as_u64().unwrap()), port, "{values}");
        assert!(grpc.is_none_or(|port| port["appProtocol"] == "kubernetes.io/h2c"), "{values}");
        let pod = set.pod("inference");
        let container = list(&pod["spec"]["containers"][0]["ports"]).iter().find(|port| port["name"] == "grpc");
        assert_eq!(container.map(|port| port["containerPort"].as_u64().unwrap()), port.map(|_| 8001), "{values}");
        let listens = env(pod, "TRAINYARD__INFERENCE__GRPC_LISTEN");
        assert_eq!(listens.is_some(), port.is_some(), "{values}");
        assert!(listens.is_none_or(|address| address.ends_with(":8001")), "{values}: {listens:?}");
        assert_eq!(env(set.pod("api"), "TRAINYARD__INFERENCE__GRPC_LISTEN"), None, "{values}");
    }
    let ports = |set: &Rendered, role: &str| {
        let rules = &set.get("NetworkPolicy", role)["spec"]["ingress"];
        list(&rules[0]["ports"]).iter().map(|port| port["port"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let open = render(MINIMAL, &["--set", "networkPolicy.enabled=true"]);
    for set in [set("production"), &open] {
        assert_eq!(
            (ports(set, "-inference"), ports(set, "-api")),
            (vec!["http".into(), "grpc".into()], vec!["http".into()])
        );
    }
    let off = render("production", &["--set", "inference.service.grpcPort=null"]);
    assert_eq!(ports(&off, "-inference"), ["http"]);
}

#[test]
fn the_gateway_under_compose_forwards_grpc_to_the_listener() {
    assert!(
        compose("inference").contains("TRAINYARD__INFERENCE__GRPC_LISTEN: 0.0.0.0:8001"),
        "{}",
        compose("inference")
    );
    assert!(compose("gateway").contains("${GRPC_PORT:-8001}:8001"), "{}", compose("gateway"));
    let gateway = std::fs::read_to_string(root().join("deploy/nginx.conf")).unwrap();
    let (_, grpc) = gateway.split_once("listen 8001 http2;").unwrap();
    for line in ["set $role grpc://inference:8001;", "grpc_pass $role;", "X-Forwarded-For $proxy_add_x_forwarded_for;"]
    {
        assert!(grpc.contains(line), "{line}");
    }
}

#[test]
fn an_ingress_without_hosts_takes_any_and_may_show_metrics() {
    let set = render(MINIMAL, &["--set", "ingress.enabled=true,ingress.hideMetrics=false"]);
    let ingress = set.get("Ingress", "demo-trainyard");
    assert_eq!(ingress["spec"]["rules"][0]["host"], Value::Null);
    assert_eq!(backend(ingress, 0, "/metrics"), "demo-trainyard-api");
    assert!(set.find("Service", "-nowhere").is_none());
}

/// The ports that a role's pods may connect to.
fn reachable(set: &Rendered, role: &str) -> Vec<u64> {
    let policy = set.get("NetworkPolicy", role);
    let rules = list(&policy["spec"]["egress"]).iter();
    let mut ports: Vec<_> =
        rules.flat_map(|rule| list(&rule["ports"])).filter_map(|port| port["port"].as_u64()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[test]
fn each_role_reaches_what_it_needs() {
    let set = set("restricted-network");
    assert_eq!(reachable(set, "-api"), [53, 443, 3128, 6380, 6432, 9000]);
    assert_eq!(reachable(set, "-worker"), [53, 443, 3128, 6380, 6432, 6443, 9000], "Kubernetes too, to mark busy pods");
    assert_eq!(reachable(set, "-inference"), [53, 6380, 6432, 9000], "no webhooks");
    assert_eq!(reachable(set, "-migrate"), [53, 6432], "the database alone");
    let quiet = render("restricted-network", &["--set", "webhooks.enabled=false,worker.markBusyPods=false"]);
    assert_eq!(reachable(&quiet, "-worker"), [53, 6380, 6432, 9000]);
}

#[test]
fn only_clients_prometheus_and_helm_test_may_connect() {
    let namespace = |name: &str| json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
    let set = set("production");
    for role in ["-api", "-inference"] {
        let from = list(&set.get("NetworkPolicy", role)["spec"]["ingress"][0]["from"]);
        assert_eq!(from[0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"], "test");
        assert_eq!(from[1..], [namespace("ingress-nginx"), namespace("monitoring")]);
    }
    assert_eq!(set.get("NetworkPolicy", "-worker")["spec"]["ingress"][0]["from"], json!([namespace("monitoring")]));
    assert_eq!(set.get("NetworkPolicy", "-migrate")["spec"]["ingress"], json!([]));
    let open = render(MINIMAL, &["--set", "networkPolicy.enabled=true"]);
    let ingress = |role| open.get("NetworkPolicy", role)["spec"]["ingress"].clone();
    assert_eq!(ingress("-api"), json!([{"ports": [{"port": "http", "protocol": "TCP"}]}]));
    assert_eq!(ingress("-worker"), json!([]));
}
