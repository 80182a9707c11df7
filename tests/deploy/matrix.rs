//! Every set of values renders to valid and consistent manifests.

use crate::chart::{MINIMAL, Rendered, SETS, helm, kind, list, name, picks, render};

/// Custom resources without published schemas, with their required fields.
const CUSTOM: &[(&str, &str, &[&str])] = &[
    (
        "ScaledObject",
        "keda.sh/v1alpha1",
        &["/spec/scaleTargetRef/name", "/spec/maxReplicaCount", "/spec/triggers/0/type"],
    ),
    ("ScaledJob", "keda.sh/v1alpha1", &["/spec/jobTargetRef/template/spec/containers/0", "/spec/triggers/0/type"]),
    ("ServiceMonitor", "monitoring.coreos.com/v1", &["/spec/selector/matchLabels", "/spec/endpoints/0/port"]),
    ("PodMonitor", "monitoring.coreos.com/v1", &["/spec/selector/matchLabels", "/spec/podMetricsEndpoints/0/port"]),
    ("PrometheusRule", "monitoring.coreos.com/v1", &["/spec/groups/0/name", "/spec/groups/0/rules/0/expr"]),
];

#[test]
fn every_set_of_values_lints_and_is_valid() {
    assert!(SETS.len() >= 5);
    for set in SETS.iter() {
        let output = helm(&["lint", "--strict"], &set.name, &[]);
        assert!(output.status.success(), "{}: {}", set.name, String::from_utf8_lossy(&output.stdout));
        for manifest in &set.manifests {
            let version = manifest["apiVersion"].as_str().unwrap();
            if !version.contains('.') || version.contains(".k8s.io/") {
                continue; // Already validated while rendering.
            }
            let known = CUSTOM.iter().find(|(kind, group, _)| manifest["kind"] == *kind && version == *group);
            let (_, _, fields) = known.unwrap_or_else(|| panic!("{}: say what a {} needs", set.name, kind(manifest)));
            let missing: Vec<_> = fields.iter().filter(|field| manifest.pointer(field).is_none()).collect();
            assert!(missing.is_empty(), "{} {} lacks {missing:?}", set.name, name(manifest));
        }
    }
}

#[test]
fn an_invalid_manifest_is_detected() {
    let refused = std::panic::catch_unwind(|| render(MINIMAL, &["--set", "api.affinity.nodeAfinity.x=1"]));
    let message = *refused.err().unwrap().downcast::<String>().unwrap();
    assert!(message.contains("Deployment demo-trainyard-api") && message.contains("nodeAfinity"), "{message}");
}

#[test]
fn names_are_unique_and_short_and_everything_is_labelled() {
    let long = "a-release-with-a-name-that-is-as-long-as-helm-permits";
    let long = helm(&["template", long], MINIMAL, &[]);
    assert!(long.status.success(), "{}", String::from_utf8_lossy(&long.stderr));
    let long = Rendered { name: "long name".into(), manifests: crate::chart::validated(&long.stdout) };
    for set in SETS.iter().chain([&long]) {
        let mut seen = std::collections::HashSet::new();
        for manifest in &set.manifests {
            let (kind, name) = (kind(manifest), name(manifest));
            assert!(name.len() <= 63, "{} {name}", set.name);
            assert!(seen.insert((kind, name)), "{}: two {kind} {name}", set.name);
            let part = &manifest["metadata"]["labels"]["app.kubernetes.io/part-of"];
            assert_eq!(part, "trainyard", "{} {kind} {name}", set.name);
        }
    }
}

#[test]
fn selectors_pick_the_pods_of_their_role_and_no_others() {
    for set in SETS.iter() {
        for manifest in &set.manifests {
            let selector = match kind(manifest) {
                "Service" => &manifest["spec"]["selector"],
                "NetworkPolicy" => &manifest["spec"]["podSelector"]["matchLabels"],
                "Deployment" | "PodDisruptionBudget" | "PodMonitor" => &manifest["spec"]["selector"]["matchLabels"],
                _ => continue,
            };
            let picked: Vec<_> = set
                .pods()
                .into_iter()
                .filter(|(_, pod)| picks(selector, &pod["metadata"]["labels"]))
                .map(|(owner, _)| name(owner))
                .collect();
            if name(manifest).ends_with("-nowhere") {
                assert!(picked.is_empty(), "{picked:?}");
            } else {
                assert_eq!(picked, [name(manifest)], "{} {}", set.name, kind(manifest));
            }
        }
        for monitor in set.all("ServiceMonitor") {
            let labelled = |service: &&serde_json::Value| {
                picks(&monitor["spec"]["selector"]["matchLabels"], &service["metadata"]["labels"])
            };
            let services: Vec<_> = set.all("Service").filter(labelled).map(name).collect();
            assert_eq!(services, [name(monitor)]);
        }
    }
}

#[test]
fn every_service_account_of_a_pod_exists() {
    for set in SETS.iter() {
        for (owner, pod) in set.pods() {
            let Some(account) = pod["spec"]["serviceAccountName"].as_str() else { continue };
            let theirs = set.name == "existing-secrets" && account == "trainyard";
            assert!(theirs || set.find("ServiceAccount", account).is_some(), "{} {}", set.name, name(owner));
        }
        for binding in set.all("RoleBinding") {
            assert!(set.find("Role", binding["roleRef"]["name"].as_str().unwrap()).is_some());
            assert_eq!(list(&binding["subjects"])[0]["namespace"], "ml");
        }
    }
}
