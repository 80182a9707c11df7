//! The console at `/`, whether or not this binary contains the build of `web/`.

use reqwest::Method;
use trainyard_testkit::System;

use crate::support::on_both_stacks;

on_both_stacks!(the_api_serves_the_console_and_no_other_role_does, unknown_paths_stay_problem_documents);

async fn the_api_serves_the_console_and_no_other_role_does(system: &System) {
    let client = system.client();
    for path in ["/", "/console/"] {
        let page = client.get(path).await;
        let (kind, policy) = (page.header("content-type"), page.header("content-security-policy"));
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert!(page.expect(200).as_str().unwrap().contains("Trainyard"), "{path}");
    }
    let settings = client.get("/console/settings.json").await.expect(200);
    assert_eq!(settings["signup_open"], true, "{settings}");
    for (role, url) in system.urls().into_iter().filter(|(role, _)| !matches!(*role, "up" | "api")) {
        let answer = reqwest::get(format!("{url}/")).await.unwrap();
        assert_eq!(answer.status(), 404, "{role}");
    }
}

async fn unknown_paths_stay_problem_documents(system: &System) {
    let client = system.client();
    for path in ["/nowhere", "/assets/app.js", "/console/assets/none.js", "/console/models"] {
        client.get(path).await.problem(404);
    }
    let navigation = client.request(Method::GET, "/nowhere").header("accept", "text/html");
    client.send(navigation).await.problem(404);
}
