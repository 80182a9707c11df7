//! Secrets: the roles that receive them, and their sources.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::chart::{MINIMAL, Rendered, SETS, list, name, render};

/// Variable, Secret and key of every Secret reference in a role's pod.
fn taken<'s>(set: &'s Rendered, role: &str) -> Vec<(&'s str, &'s str, &'s str)> {
    let environment = list(&set.pod(role)["spec"]["containers"][0]["env"]).iter();
    let text = |value: &'s Value| value.as_str().unwrap();
    environment
        .filter(|entry| entry["valueFrom"]["secretKeyRef"].is_object())
        .map(|entry| (text(&entry["name"]), &entry["valueFrom"]["secretKeyRef"]))
        .map(|(variable, from)| (variable, text(&from["name"]), text(&from["key"])))
        .collect()
}

#[test]
fn each_role_gets_the_secrets_it_needs_and_no_more() {
    const STORES: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "REDIS_URL"];
    const WEBHOOKS: &str = "TRAINYARD__WEBHOOKS__SECRET";
    let set = SETS.iter().find(|set| set.name == MINIMAL).unwrap();
    for (role, more) in [
        ("api", &["ADMIN_PASSWORD", "JWT_SECRET", WEBHOOKS][..]),
        ("worker", &[WEBHOOKS][..]),
        ("inference", &["JWT_SECRET"][..]),
    ] {
        let variables: BTreeSet<_> = taken(set, role).into_iter().map(|(variable, ..)| variable).collect();
        let wanted: BTreeSet<_> = STORES.iter().chain(more).copied().collect();
        assert_eq!(variables, wanted, "{role}");
    }
    assert_eq!(taken(set, "migrate"), [("DATABASE_URL", "demo-trainyard-migrate", "DATABASE_URL")]);
}

#[test]
fn the_charts_secrets_contain_the_keys_that_pods_use() {
    for set in SETS.iter() {
        for role in ["api", "worker", "inference", "migrate"].into_iter().filter(|role| set.find_pod(role).is_some()) {
            for (variable, secret, key) in taken(set, role) {
                if secret.starts_with("demo-") {
                    assert!(set.get("Secret", secret)["data"][key].is_string(), "{} {role} {variable}", set.name);
                }
            }
        }
    }
}

#[test]
fn existing_secrets_are_used_with_their_keys_and_none_is_created() {
    let set = SETS.iter().find(|set| set.name == "production").unwrap();
    let expected = [
        ("DATABASE_URL", "trainyard-db-app", "uri"),
        ("REDIS_URL", "trainyard-redis", "url"),
        ("AWS_ACCESS_KEY_ID", "trainyard-s3", "AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", "trainyard-s3", "AWS_SECRET_ACCESS_KEY"),
        ("JWT_SECRET", "trainyard-auth", "JWT_SECRET"),
        ("TRAINYARD__WEBHOOKS__SECRET", "trainyard-webhooks", "TRAINYARD__WEBHOOKS__SECRET"),
        ("ADMIN_PASSWORD", "trainyard-auth", "ADMIN_PASSWORD"),
    ];
    assert_eq!(taken(set, "api"), expected);
    for name in ["production", "existing-secrets"] {
        let set = SETS.iter().find(|set| set.name == name).unwrap();
        assert_eq!(set.all("Secret").count(), 0, "{name}");
    }
}

#[test]
fn uninstalling_keeps_the_secret_of_a_kept_database() {
    let set = SETS.iter().find(|set| set.name == MINIMAL).unwrap();
    let secret = set.all("Secret").find(|secret| name(secret) == "demo-trainyard").unwrap();
    assert_eq!(secret["metadata"]["annotations"], json!({"helm.sh/resource-policy": "keep"}));
}

#[test]
fn pods_are_replaced_only_if_a_secret_in_the_values_changes() {
    let checksum = |arguments: &[&str]| {
        let set = render(MINIMAL, arguments);
        set.pod("api")["metadata"]["annotations"]["checksum/values"].as_str().unwrap().to_owned()
    };
    let first = checksum(&[]);
    assert_eq!(checksum(&[]), first, "what is made up anew is not in it");
    assert_eq!(checksum(&["--set", "ingress.enabled=true"]), first);
    assert_ne!(checksum(&["--set", "redis.url=redis://:new@redis:6379"]), first);
}
