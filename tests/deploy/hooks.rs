//! The migration hook runs before the release's objects exist, so its dependencies must be hooks with an earlier
//! weight.

use serde_json::{Value, json};

use crate::chart::{MINIMAL, Rendered, SETS, kind, list, name, render};

fn annotation<'m>(manifest: &'m Value, key: &str) -> Option<&'m str> {
    manifest["metadata"]["annotations"][key].as_str()
}

fn weight(manifest: &Value) -> i32 {
    annotation(manifest, "helm.sh/hook-weight").unwrap().parse().unwrap()
}

#[test]
fn the_schema_is_migrated_before_installs_and_upgrades() {
    for set in SETS.iter().filter(|set| set.name != "existing-secrets") {
        let job = set.get("Job", "-migrate");
        assert_eq!(annotation(job, "helm.sh/hook"), Some("pre-install,pre-upgrade"));
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!((&pod["containers"][0]["args"], &pod["restartPolicy"]), (&json!(["migrate"]), &json!("Never")));
        assert!(job["spec"]["activeDeadlineSeconds"].is_u64());
        let same_image = set.all("Deployment").all(|deployment| {
            deployment["spec"]["template"]["spec"]["containers"][0]["image"] == pod["containers"][0]["image"]
        });
        assert!(same_image, "{}", set.name);
    }
    assert!(SETS.iter().find(|set| set.name == "existing-secrets").unwrap().find("Job", "").is_none());
}

/// The release's objects that the migration pod needs: its service account, and the Secret with the database URL.
fn needs(set: &Rendered) -> Vec<&Value> {
    let pod = &set.get("Job", "-migrate")["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().unwrap();
    let environment = list(&pod["containers"][0]["env"]);
    let secrets = environment.iter().filter_map(|entry| entry["valueFrom"]["secretKeyRef"]["name"].as_str());
    let named: Vec<_> = secrets.chain([account]).collect();
    let wanted = ["ServiceAccount", "Secret"];
    set.manifests.iter().filter(|m| wanted.contains(&kind(m)) && named.contains(&name(m))).collect()
}

#[test]
fn objects_of_the_migration_exist_before_it_and_are_deleted_after_it() {
    for (set, wanted) in [(MINIMAL, 2), ("scaled-job", 2), ("production", 1)] {
        let set = SETS.iter().find(|found| found.name == set).unwrap();
        let needs = needs(set);
        assert_eq!(needs.len(), wanted, "{}: {needs:?}", set.name);
        for need in
            needs.into_iter().chain(set.all("NetworkPolicy").filter(|policy| name(policy).ends_with("-migrate")))
        {
            assert_eq!(annotation(need, "helm.sh/hook"), Some("pre-install,pre-upgrade"), "{}", name(need));
            assert!(weight(need) < weight(set.get("Job", "-migrate")), "{}", name(need));
            assert!(annotation(need, "helm.sh/hook-delete-policy").unwrap().contains("hook-succeeded"));
        }
    }
}

#[test]
fn helm_test_checks_the_readiness_of_both_services() {
    for set in SETS.iter() {
        let pod = set.get("Pod", "-test");
        assert_eq!(annotation(pod, "helm.sh/hook"), Some("test"));
        for (container, role) in list(&pod["spec"]["containers"]).iter().zip(["-api", "-inference"]) {
            let service = set.get("Service", role);
            let url = format!("http://{}:{}", name(service), service["spec"]["ports"][0]["port"]);
            assert_eq!(container["args"], json!(["healthcheck", "--url", url]), "{}", set.name);
        }
    }
}

#[test]
fn without_own_service_accounts_the_migration_uses_the_configured_account() {
    let set = render(MINIMAL, &["--set", "serviceAccount.create=false,serviceAccount.name=ours"]);
    assert_eq!(set.get("Job", "-migrate")["spec"]["template"]["spec"]["serviceAccountName"], "ours");
    assert_eq!(set.all("ServiceAccount").count(), 0);
}
