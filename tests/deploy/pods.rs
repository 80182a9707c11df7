//! Requirements for every pod: restricted security context, probes, and enough time to stop.

use serde_json::{Value, json};

use crate::chart::{SETS, env, list, name};

fn number(text: Option<&str>) -> u64 {
    text.unwrap().parse().unwrap()
}

#[test]
fn every_pod_keeps_to_the_restricted_standard() {
    for set in SETS.iter() {
        for (owner, pod) in set.pods() {
            let (spec, place) = (&pod["spec"], format!("{} {}", set.name, name(owner)));
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{place}");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{place}");
            assert_eq!(spec["enableServiceLinks"], false, "{place}");
            for container in list(&spec["containers"]) {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{place}");
                assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}), "{place}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{place}");
                let resources = &container["resources"];
                let required = ["/requests/cpu", "/requests/memory", "/limits/memory"];
                assert!(required.iter().all(|field| resources.pointer(field).is_some()), "{place} {resources}");
            }
        }
    }
}

#[test]
fn only_workers_with_pod_deletion_cost_get_a_token() {
    for set in SETS.iter() {
        let annotates_pods = ["minimal", "production", "restricted-network"].contains(&set.name.as_str());
        for (owner, pod) in set.pods() {
            let wanted = annotates_pods && name(owner).ends_with("-worker");
            assert_eq!(pod["spec"]["automountServiceAccountToken"], wanted, "{} {}", set.name, name(owner));
        }
        let role = set.find("Role", "-worker").map(|role| &role["rules"]);
        let patch_pods = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}]);
        assert_eq!(role, annotates_pods.then_some(&patch_pods), "{}", set.name);
    }
}

#[test]
fn probes_use_existing_endpoints_and_the_listening_port() {
    for set in SETS.iter() {
        for role in ["api", "worker", "inference"] {
            let pod = set.pod(role);
            let container = &pod["spec"]["containers"][0];
            for (probe, path) in
                [("startupProbe", "/health"), ("livenessProbe", "/health"), ("readinessProbe", "/health/ready")]
            {
                assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "http"}), "{} {role}", set.name);
            }
            // A readiness check may take two seconds per dependency, all in parallel.
            assert!(container["readinessProbe"]["timeoutSeconds"].as_u64() > Some(2));
            let port = &container["ports"][0];
            assert_eq!((&port["name"], &port["containerPort"]), (&json!("http"), &json!(8080)));
            assert!(env(pod, "LISTEN").unwrap().ends_with(":8080"), "{} {role}", set.name);
        }
    }
}

#[test]
fn the_termination_grace_period_covers_the_shutdown_settings() {
    for set in SETS.iter() {
        for role in ["api", "inference"] {
            let pod = set.pod(role);
            let settings = number(env(pod, "TRAINYARD__SERVER__DRAIN_DELAY_S"))
                + number(env(pod, "TRAINYARD__SERVER__SHUTDOWN_GRACE_S"));
            assert_eq!(pod["spec"]["terminationGracePeriodSeconds"], settings + 15, "{} {role}", set.name);
        }
        let worker = set.pod("worker");
        let grace_s = number(env(worker, "TRAINYARD__WORKER__GRACE_S"));
        assert_eq!(worker["spec"]["terminationGracePeriodSeconds"], grace_s + 30, "{}", set.name);
    }
}

/// The setting of the folder that each role writes to.
const FOLDERS: [(&str, &str); 3] = [
    ("api", "TRAINYARD__API__UPLOAD_DIR"),
    ("worker", "TRAINYARD__WORKER__WORK_DIR"),
    ("inference", "TRAINYARD__INFERENCE__CACHE_DIR"),
];

#[test]
fn the_root_is_read_only_and_written_paths_are_volumes() {
    for set in SETS.iter() {
        for (role, setting) in FOLDERS {
            let spec = &set.pod(role)["spec"];
            let folder = env(set.pod(role), setting).unwrap();
            let others = FOLDERS.iter().filter(|(_, other)| *other != setting);
            assert!(others.clone().all(|(_, other)| env(set.pod(role), other).is_none()), "{} {role}", set.name);
            let mounts = list(&spec["containers"][0]["volumeMounts"]);
            let mount = mounts.iter().find(|mount| folder.starts_with(mount["mountPath"].as_str().unwrap())).unwrap();
            let volume = list(&spec["volumes"]).iter().find(|volume| volume["name"] == mount["name"]).unwrap();
            assert!(volume["emptyDir"]["sizeLimit"].is_string(), "{} {role}: {volume}", set.name);
            for mount in mounts {
                let there = |volume: &Value| volume["name"] == mount["name"];
                assert!(list(&spec["volumes"]).iter().any(there), "{} {role}: {mount}", set.name);
            }
        }
    }
}

#[test]
fn a_private_certificate_authority_is_trusted_in_addition() {
    let set = SETS.iter().find(|set| set.name == "restricted-network").unwrap();
    for role in ["api", "worker", "inference", "migrate"] {
        let pod = set.pod(role);
        assert_eq!(env(pod, "SSL_CERT_FILE"), Some("/etc/trainyard/ca/ca.crt"));
        assert_eq!(env(pod, "SSL_CERT_DIR"), Some("/etc/ssl/certs"));
        let volume = list(&pod["spec"]["volumes"]).iter().find(|volume| volume["name"] == "ca").unwrap();
        assert_eq!(
            volume["configMap"],
            json!({"name": "company-ca", "items": [{"key": "bundle.pem", "path": "ca.crt"}]})
        );
    }
}
