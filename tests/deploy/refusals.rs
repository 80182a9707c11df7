//! Helm refuses invalid values, and names the value in its message.

use crate::chart::{MINIMAL, folder, helm, tool};

#[test]
fn an_install_without_values_lists_the_required_values() {
    let output = tool("helm").args(["template", "demo"]).arg(folder()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    for value in ["database.url", "redis.url", "artifacts.url", "artifacts.accessKeyId"] {
        assert!(error.contains(&format!("- {value} ")), "{value}: {error}");
    }
}

#[test]
fn each_mistake_is_named() {
    for (set, values, message) in [
        // The schema: unknown keys and wrong types.
        (MINIMAL, "wroker.replicas=1", "'wroker' not allowed"),
        (MINIMAL, "api.replica=3", "at '/api': additional properties 'replica' not allowed"),
        (MINIMAL, "worker.keda.prometheus.url=x", "at '/worker/keda/prometheus': additional properties 'url'"),
        (MINIMAL, "networkPolicy.redis.port=1", "at '/networkPolicy/redis': additional properties 'port'"),
        (MINIMAL, "worker.concurrency=two", "at '/worker/concurrency': got string, want integer"),
        (MINIMAL, "worker.kind=StatefulSet", "at '/worker/kind': value must be one of 'Deployment', 'ScaledJob'"),
        (MINIMAL, "settings.log=debug", "at '/settings/log': got string, want object"),
        (MINIMAL, "ingress.hosts=trainyard.example.com", "at '/ingress/hosts': got string, want array"),
        (MINIMAL, "image.digest=latest", "at '/image/digest': 'latest' does not match pattern"),
        // The templates: invalid combinations.
        (MINIMAL, "database.url=", "database.url or database.existingSecret is needed"),
        (MINIMAL, "database.url=sqlite://x", "database.url must start with postgres://"),
        (MINIMAL, "redis.url=http://x", "redis.url must start with redis://"),
        (MINIMAL, "artifacts.url=file:///x", "artifacts.url is needed: s3://"),
        (MINIMAL, "artifacts.secretAccessKey=", "artifacts.accessKeyId with artifacts.secretAccessKey"),
        (MINIMAL, "database.existingSecret=x", "database.url and database.existingSecret exclude each other"),
        (MINIMAL, "auth.jwtSecret=short", "auth.jwtSecret must have at least 32 bytes"),
        (MINIMAL, "auth.adminPassword=x,auth.existingSecret=y", "auth.adminPassword and auth.existingSecret exclude"),
        (MINIMAL, "webhooks.secret=x", "webhooks.secret must start with whsec_"),
        (MINIMAL, "api.autoscaling.enabled=true,api.replicas=3", "api.replicas and api.autoscaling.enabled exclude"),
        (MINIMAL, "inference.autoscaling.minReplicas=20", "inference.autoscaling.minReplicas is more than maxReplicas"),
        (MINIMAL, "worker.keda.enabled=true", "worker.keda.prometheus.serverAddress is needed"),
        ("production", "worker.replicas=3", "worker.replicas and KEDA exclude each other"),
        ("scaled-job", "worker.concurrency=2", "worker.concurrency must be 1 with worker.kind ScaledJob"),
        (MINIMAL, "extraCa.configMap=x,extraCa.secret=y", "extraCa.configMap and extraCa.secret exclude"),
        (
            MINIMAL,
            "settings.worker.grace_s=9",
            "settings.worker.grace_s can't be set there; the value for it is worker.graceSeconds",
        ),
        (
            "production",
            "settings.server.trusted_proxies=10.0.0.1",
            "settings.server.trusted_proxies can't be set there; the value for it is ingress.trustedProxies",
        ),
        (MINIMAL, "inference.settings.inference.cache_dir=/x", "inference.cache_dir can't be set there"),
        (MINIMAL, "api.settings.auth.jwt_secret=x", "api.settings.auth.jwt_secret can't be set there"),
    ] {
        let output = helm(&["template", "demo"], set, &["--set", values]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{values} was taken");
        assert!(error.contains(message), "{values}: {error}");
    }
}
