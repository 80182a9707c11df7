//! Numbers of pods: one owner for each number, and idle workers are removed before busy workers.

use std::process::Command;

use serde_json::{Value, json};

use crate::chart::{MINIMAL, Rendered, SETS, env, list, name};

fn set(name: &str) -> &'static Rendered {
    SETS.iter().find(|set| set.name == name).unwrap()
}

#[test]
fn each_replica_count_has_one_owner() {
    for set in SETS.iter() {
        for deployment in set.all("Deployment") {
            let own = |scaler: &&Value| scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"];
            let scalers = set.all("HorizontalPodAutoscaler").chain(set.all("ScaledObject")).filter(own).count();
            let fixed = deployment["spec"]["replicas"].is_u64();
            assert_eq!(
                (scalers, fixed),
                if fixed { (0, true) } else { (1, false) },
                "{} {}",
                set.name,
                name(deployment)
            );
        }
    }
    let minimal = set(MINIMAL);
    assert!(minimal.all("Deployment").all(|deployment| deployment["spec"]["replicas"] == 2));
    assert_eq!(set("existing-secrets").get("Deployment", "-worker")["spec"]["replicas"], 0, "none is a number too");
    assert_eq!(set("production").get("HorizontalPodAutoscaler", "-api")["spec"]["minReplicas"], 3);
}

#[test]
fn a_rollout_or_a_node_drain_keeps_one_replica_available() {
    for set in SETS.iter() {
        for role in ["-api", "-inference"] {
            let strategy = &set.get("Deployment", role)["spec"]["strategy"]["rollingUpdate"];
            assert_eq!(strategy["maxUnavailable"], 0, "{} {role}", set.name);
        }
    }
    for budget in set(MINIMAL).all("PodDisruptionBudget") {
        assert_eq!(budget["spec"]["maxUnavailable"], 1);
        assert_eq!(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow", "a broken pod holds up no drain");
    }
    assert_eq!(set(MINIMAL).all("PodDisruptionBudget").count(), 3);
    let spread = list(&set(MINIMAL).pod("worker")["spec"]["topologySpreadConstraints"]);
    let keys: Vec<_> = spread.iter().map(|constraint| &constraint["topologyKey"]).collect();
    assert_eq!(keys, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
}

/// The metrics in a query.
fn metrics(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("trainyard_"))
}

#[test]
fn keda_scales_by_existing_metrics_of_queued_and_running_jobs() {
    let catalogue = Command::new(env!("CARGO_BIN_EXE_trainyard")).arg("metrics").output().unwrap();
    let catalogue = String::from_utf8(catalogue.stdout).unwrap();
    for (set, kind) in [("production", "ScaledObject"), ("scaled-job", "ScaledJob")] {
        let triggers = list(&self::set(set).get(kind, "-worker")["spec"]["triggers"]);
        for trigger in triggers {
            let metadata = &trigger["metadata"];
            assert_eq!(metadata["ignoreNullValues"], "false", "no data is not an empty queue");
            let query = metadata["query"].as_str().unwrap();
            for metric in metrics(query) {
                assert!(catalogue.contains(&format!("`{metric}`")), "{metric} is no metric of Trainyard");
            }
            assert!(query.contains(r#"namespace="ml""#), "{query}");
        }
        let jobs = triggers[0]["metadata"]["query"].as_str().unwrap();
        let named: Vec<_> = metrics(jobs).collect();
        assert_eq!(named, ["trainyard_queue_depth_jobs", "trainyard_queue_scheduled_jobs", "trainyard_jobs_by_status"]);
        assert!(jobs.contains(r#"status="running""#), "{jobs}");
    }
    // The series have the job name that the monitors set.
    let monitor = set("production").get("PodMonitor", "-worker");
    let job = &monitor["spec"]["podMetricsEndpoints"][0]["relabelings"][0];
    assert_eq!(job, &json!({"targetLabel": "job", "replacement": "trainyard"}));
    let query = &set("production").get("ScaledObject", "-worker")["spec"]["triggers"][0]["metadata"]["query"];
    assert!(query.as_str().unwrap().contains(r#"job="trainyard""#));
}

#[test]
fn scaling_in_keeps_busy_pods() {
    let production = set("production");
    let triggers = list(&production.get("ScaledObject", "-worker")["spec"]["triggers"]);
    let thresholds: Vec<_> = triggers.iter().map(|t| (&t["name"], &t["metadata"]["threshold"])).collect();
    // Two jobs per pod; but a pod for each busy worker, also with one job.
    assert_eq!(thresholds, [(&json!("jobs"), &json!("2")), (&json!("busy"), &json!("1"))]);
    assert_eq!(env(production.pod("worker"), "TRAINYARD__WORKER__CONCURRENCY"), Some("2"));
    let environment = list(&production.pod("worker")["spec"]["containers"][0]["env"]);
    let pod_name = environment.iter().find(|entry| entry["name"] == "TRAINYARD__WORKER__POD_NAME").unwrap();
    assert_eq!(pod_name["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
}

#[test]
fn a_scaled_job_runs_one_training_job_and_updates_leave_it_alone() {
    let set = set("scaled-job");
    let spec = &set.get("ScaledJob", "-worker")["spec"];
    assert_eq!(spec["rollout"]["strategy"], "gradual");
    assert_eq!(spec["jobTargetRef"]["backoffLimit"], 0);
    let pod = &spec["jobTargetRef"]["template"];
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
    assert_eq!(pod["spec"]["containers"][0]["args"], json!(["worker", "--max-jobs", "1"]));
    assert_eq!(env(pod, "TRAINYARD__WORKER__CONCURRENCY"), Some("1"));
    assert_eq!(pod["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"], "false");
    assert!(set.find("Deployment", "-worker").is_none() && set.find("PodDisruptionBudget", "-worker").is_none());
}

#[test]
fn prometheus_address_and_query_are_configurable() {
    for trigger in list(&set("restricted-network").get("ScaledObject", "-worker")["spec"]["triggers"]) {
        let metadata = &trigger["metadata"];
        assert_eq!(metadata["serverAddress"], "https://metrics.internal");
        assert_eq!(metadata["authModes"], "basic");
        assert!(metadata["query"].as_str().unwrap().contains(r#"{cluster="eu",job="yard""#), "{metadata}");
        assert_eq!(trigger["authenticationRef"], json!({"name": "metrics", "kind": "ClusterTriggerAuthentication"}));
    }
}
