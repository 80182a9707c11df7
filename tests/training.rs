//! Training jobs, from submission to a served model.

use serde_json::{Value, json};
use trainyard_testkit::{Event, System, eventually, unique};

use crate::support::{on_both_stacks, quick_job};

on_both_stacks!(
    a_job_publishes_a_model_that_is_served,
    every_algorithm_trains_on_the_built_in_dataset,
    three_classes_and_numbers_can_be_predicted,
    the_same_seed_and_data_give_the_same_model,
    an_automatic_search_shows_its_trials,
    a_forest_on_the_titanic_is_accurate,
    an_unchanged_job_gets_304,
    jobs_are_listed_filtered_and_paged,
    an_idempotency_key_stands_for_one_job,
    a_running_job_is_cancelled_within_two_seconds,
    a_cancelled_job_can_be_retried,
);

async fn a_job_publishes_a_model_that_is_served(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("main");
    let accepted = admin.post("/training", quick_job(&name)).await;
    let location = accepted.header("location");
    assert!(!accepted.header("retry-after").is_empty());
    let body = accepted.expect(202);
    assert_eq!(body["status"], "queued");
    assert_eq!(body["status_url"], location.as_str());
    let id = body["job_id"].as_str().unwrap();

    let view = admin.finished(id).await;
    assert_eq!((&view["status"], &view["progress"]), (&json!("succeeded"), &json!(1.0)), "{view}");
    assert_eq!(view["model"], json!({"name": name, "version": 1}));
    assert_eq!(view["spec"]["dataset"], "titanic");
    assert_eq!(view["attempt"], 1);
    for metric in ["accuracy", "roc_auc", "log_loss", "f1"] {
        let value = view["metrics"][metric].as_f64().unwrap_or_else(|| panic!("no {metric} in {view}"));
        assert!((0.0..=1.5).contains(&value), "{metric} = {value}");
    }
    for key in ["created_at", "started_at", "finished_at", "duration_s", "worker"] {
        assert!(!view[key].is_null(), "{key} in {view}");
    }
    let confusion = &view["metrics"]["confusion_matrix"];
    assert!(confusion.is_object() && !view["metrics"]["feature_importances"].as_array().unwrap().is_empty());
    let document = admin.get("/openapi.json").await.expect(200);
    let known = &document["components"]["schemas"]["MetricsView"]["properties"];
    for metric in view["metrics"].as_object().unwrap().keys() {
        assert!(!known[metric].is_null(), "{metric} is not documented");
    }
    let listed = admin.get(&format!("/training?name={name}")).await.expect(200);
    let version = admin.get(&format!("/models/{name}/versions/1")).await.expect(200);
    let versions = admin.get(&format!("/models/{name}")).await.expect(200);
    for curve in ["roc_curve", "precision_recall_curve", "calibration"] {
        assert!(!view["metrics"][curve].is_null() && version["metrics"][curve] == view["metrics"][curve], "{curve}");
        let in_lists = [&listed["items"][0]["metrics"], &versions["versions"][0]["metrics"]];
        assert!(in_lists.iter().all(|metrics| metrics[curve].is_null() && !metrics["f1"].is_null()), "{curve}");
    }

    let row = json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1}});
    let answer = admin.served(row, &json!(1)).await;
    assert_eq!(answer["survived"], true, "{answer}");
    assert!(answer["prob"].as_f64().unwrap() > 0.5);
}

async fn every_algorithm_trains_on_the_built_in_dataset(system: &System) {
    let admin = system.client().admin().await;
    let algorithms =
        ["random_forest", "extra_trees", "gradient_boosting", "decision_tree", "svm", "logistic_regression"];
    for algorithm in algorithms {
        let name = unique("algo");
        let job = json!({"name": name, "algorithm": algorithm, "features": ["sex", "age", "pclass", "fare"]});
        let view = admin.trained(job).await;
        let accuracy = view["metrics"]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.7, "{algorithm}: {accuracy}");
        let row = json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1, "fare": 200.0}});
        let answer = admin.served(row, &json!(1)).await;
        assert_eq!(answer["survived"], true, "{algorithm}: {answer}");
    }
    let listed = admin.get("/algorithms").await.expect(200).to_string();
    for expected in algorithms.into_iter().chain(["ridge", "auto", "n_trees", "n_rounds", "maximum"]) {
        assert!(listed.contains(expected), "{expected} in {listed}");
    }
}

async fn three_classes_and_numbers_can_be_predicted(system: &System) {
    let admin = system.client().admin().await;
    let (classes, numbers) = (unique("classes"), unique("numbers"));
    for algorithm in ["random_forest", "gradient_boosting", "decision_tree", "svm", "logistic_regression"] {
        let job = json!({"name": classes, "algorithm": algorithm, "target": "embarked", "features": ["fare", "pclass", "sex"]});
        let view = admin.trained(job).await;
        assert!(view["metrics"]["accuracy"].as_f64().unwrap() > 0.5, "{algorithm}: {view}");
    }
    let row = json!({"model": classes, "features": {"sex": "male", "fare": 8.0, "pclass": 3}});
    let answer = admin.served(row, &json!(1)).await;
    let shares = answer["probabilities"].as_object().unwrap();
    assert_eq!(shares.keys().collect::<Vec<_>>(), ["C", "Q", "S"]);
    assert!((shares.values().map(|share| share.as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-6);
    assert!(shares.contains_key(answer["embarked"].as_str().unwrap()));

    let data = unique("diabetes");
    admin.upload(&data, std::fs::read("../datasets/diabetes.csv").unwrap()).await.expect(201);
    let job =
        json!({"name": numbers, "algorithm": "random_forest", "dataset": data, "target": "target", "features": ["*"]});
    for algorithm in ["random_forest", "gradient_boosting", "svm", "ridge"] {
        let mut job = job.clone();
        (job["name"], job["algorithm"]) = (json!(unique(algorithm)), json!(algorithm));
        let view = admin.trained(job).await;
        assert!(view["metrics"]["r2"].as_f64().unwrap() > 0.3, "{algorithm}: {view}");
        assert!(view["metrics"]["rmse"].is_f64() && view["metrics"]["mae"].is_f64());
    }
    admin.trained(job.clone()).await;
    let row = json!({"model": numbers, "features": {"bmi": 32.1, "bp": 101, "s5": 4.86}});
    let answer = admin.served(row, &json!(1)).await;
    assert!((25.0..=350.0).contains(&answer["target"].as_f64().unwrap()) && answer.get("prob").is_none(), "{answer}");

    let mut linear = job;
    linear["algorithm"] = json!("logistic_regression");
    admin.post("/training", linear).await.refused(&["target"]);
}

async fn the_same_seed_and_data_give_the_same_model(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("seed");
    let mut digests = Vec::new();
    for seed in [7, 7, 8] {
        let mut job = quick_job(&name);
        job["seed"] = json!(seed);
        let version = admin.trained(job).await["model"]["version"].clone();
        let shown = admin.get(&format!("/models/{name}/versions/{version}")).await.expect(200);
        digests.push(shown["sha256"].as_str().unwrap().to_owned());
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], digests[2]);
}

async fn an_automatic_search_shows_its_trials(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("auto");
    let job = |budget_s: f64| {
        json!({"name": name, "algorithm": "auto", "features": ["sex", "age", "pclass", "fare"],
               "params": {"budget_s": budget_s, "max_trials": 5}})
    };
    let id = admin.submit(job(60.0)).await;
    let events = admin.events(&id, None).await.rest().await;
    let is_trial = |event: &&Event| event.event == "metric" && event.data["name"] == "trial_log_loss";
    let reported: Vec<&Event> = events.iter().filter(is_trial).collect();
    assert_eq!(reported.len(), 5, "{events:?}");
    let log = |start: &str| {
        events.iter().any(|event| event.data["message"].as_str().is_some_and(|message| message.starts_with(start)))
    };
    assert!(log("trial 1: logistic_regression, 1047 rows, 5 folds, log_loss 0.") && log("chosen: "), "{events:?}");

    let view = admin.finished(&id).await;
    assert_eq!(view["status"], "succeeded", "{view}");
    let (trials, search) = (view["metrics"]["trials"].as_array().unwrap(), &view["metrics"]["search"]);
    assert_eq!((trials.len(), &search["trials"], &search["budget_s"]), (5, &json!(5), &json!(60.0)), "{search}");
    assert!(trials.iter().zip(&reported).all(|(trial, event)| trial["score"] == event.data["value"]), "{trials:?}");
    let weights: f64 = trials.iter().map(|trial| trial["weight"].as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-9, "{trials:?}");
    assert!(trials.iter().all(|trial| trial["score"].as_f64() >= search["score"].as_f64()), "{view}");
    assert!(view["metrics"]["accuracy"].as_f64().unwrap() > 0.7 && view["metrics"]["log_loss"].is_f64());
    let document = admin.get("/openapi.json").await.expect(200);
    let known = |schema: &str, name: &str| !document["components"]["schemas"][schema]["properties"][name].is_null();
    assert!(view["metrics"].as_object().unwrap().keys().all(|metric| known("MetricsView", metric)), "{view}");
    assert!(trials[0].as_object().unwrap().keys().all(|key| known("TrialView", key)));
    assert!(search.as_object().unwrap().keys().all(|key| known("SearchView", key)));
    let version = admin.get(&format!("/models/{name}/versions/1")).await.expect(200);
    assert_eq!((&version["metrics"]["trials"], &version["algorithm"]), (&view["metrics"]["trials"], &json!("auto")));
    let listed = admin.get(&format!("/training?name={name}")).await.expect(200);
    let listed = &listed["items"][0]["metrics"];
    assert!(listed["trials"].is_null() && !listed["search"].is_null(), "{listed}");

    let row = json!({"model": name, "features": {"sex": "female", "age": 29, "pclass": 1, "fare": 200.0}});
    let answer = admin.served(row, &json!(1)).await;
    assert_eq!(answer["survived"], true, "{answer}");
    // The same trials give the same file, whatever the budget is.
    admin.trained(job(90.0)).await;
    let second = admin.get(&format!("/models/{name}/versions/2")).await.expect(200);
    assert_eq!(version["sha256"], second["sha256"]);
    admin.post("/training", job(4_000.0)).await.refused(&["params.budget_s"]);
}

async fn a_forest_on_the_titanic_is_accurate(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("accurate");
    let mut total = 0.0;
    for seed in 1..=5 {
        let features = ["sex", "age", "pclass", "sibsp", "parch", "fare", "embarked"];
        let job = json!({"name": name, "algorithm": "random_forest", "features": features, "seed": seed});
        total += admin.trained(job).await["metrics"]["accuracy"].as_f64().unwrap();
    }
    assert!(total / 5.0 >= 0.78, "mean held-out accuracy of five seeds: {}", total / 5.0);
}

async fn an_unchanged_job_gets_304(system: &System) {
    let admin = system.client().admin().await;
    let mut job = quick_job(&unique("etag"));
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    let id = admin.submit(job).await;
    let path = format!("/training/{id}");
    let first = admin.get(&path).await;
    let etag = first.header("etag");
    assert_eq!(first.expect(200)["status"], "queued");
    let conditional = async |path: &str| {
        let request = admin.request(reqwest::Method::GET, path).header("if-none-match", &etag);
        admin.send(request).await
    };
    conditional(&path).await.expect(304);

    // A long poll is answered after a change.
    let waiting = tokio::spawn({
        let (admin, path, etag) = (admin.clone(), format!("{path}?wait_s=30"), etag.clone());
        async move {
            let request = admin.request(reqwest::Method::GET, &path).header("if-none-match", etag);
            admin.send(request).await
        }
    });
    admin.post(&format!("{path}/cancel"), Value::Null).await.expect(202);
    assert_eq!(waiting.await.unwrap().expect(200)["status"], "cancelled");
    admin.get(&format!("{path}?wait_s=61")).await.refused(&["wait_s"]);
    admin.get("/training/00000000-0000-7000-8000-000000000000").await.problem(404);
    admin.get("/training/nonsense").await.problem(404);
}

async fn jobs_are_listed_filtered_and_paged(system: &System) {
    let admin = system.client().admin().await;
    let name = unique("list");
    let mut ids = Vec::new();
    for _ in 0..5 {
        let mut job = quick_job(&name);
        job["run_at"] = json!("2999-01-01T00:00:00Z");
        ids.push(admin.submit(job).await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/training?name={name}&status=queued&limit=2{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["job_id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids, "newest first, each once");
    let none = admin.get(&format!("/training?name={name}&status=failed")).await.expect(200);
    assert_eq!(none["items"], json!([]));
    admin.get("/training?status=sleeping").await.refused(&["status"]);
    admin.get("/training?limit=101").await.refused(&["limit"]);
    admin.get("/training?cursor=%21").await.refused(&["cursor"]);
    admin.get("/training?colour=red").await.refused(&["colour"]);
    for id in ids {
        admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    }
}

async fn an_idempotency_key_stands_for_one_job(system: &System) {
    let admin = system.client().admin().await;
    let (name, key) = (unique("once"), unique("key"));
    let post = async |body: Value| {
        let request = admin.request(reqwest::Method::POST, "/training").header("idempotency-key", &key).json(&body);
        admin.send(request).await
    };
    let first = post(quick_job(&name)).await.expect(202);
    let again = post(quick_job(&name)).await.expect(202);
    assert_eq!(first["job_id"], again["job_id"]);
    post(quick_job(&unique("other"))).await.problem(409);
    let listed = admin.get(&format!("/training?name={name}")).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);

    // Concurrent requests with one key submit one job.
    let (name, key) = (unique("storm"), unique("key"));
    let posts = (0..10).map(|_| {
        let request = admin.request(reqwest::Method::POST, "/training").header("idempotency-key", &key);
        admin.send(request.json(&quick_job(&name)))
    });
    let answers = futures::future::join_all(posts).await;
    let ids: std::collections::HashSet<_> =
        answers.into_iter().map(|answer| answer.expect(202)["job_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 1);
}

/// A job that runs for many seconds unless it is cancelled.
fn long_job(name: &str) -> Value {
    // The native engine needs less than a second.
    let params = json!({"engine": "linfa", "c": 10_000.0, "kernel": "polynomial", "degree": 5});
    json!({"name": name, "algorithm": "svm", "features": ["*"], "params": params})
}

async fn a_running_job_is_cancelled_within_two_seconds(system: &System) {
    let admin = system.client().admin().await;
    let id = admin.submit(long_job(&unique("cancel"))).await;
    let path = format!("/training/{id}");
    eventually("the job runs", std::time::Duration::from_secs(60), async || {
        let view = admin.get(&path).await.expect(200);
        assert!(!matches!(view["status"].as_str(), Some("succeeded" | "failed")), "{view}");
        (view["status"] == "running").then_some(())
    })
    .await;
    let asked = std::time::Instant::now();
    admin.post(&format!("{path}/cancel"), Value::Null).await.expect(202);
    let view = admin.finished(&id).await;
    assert_eq!(view["status"], "cancelled", "{view}");
    assert!(asked.elapsed().as_secs_f64() < 2.5, "took {:?}", asked.elapsed());
    admin.post(&format!("{path}/cancel"), Value::Null).await.problem(409);
}

async fn a_cancelled_job_can_be_retried(system: &System) {
    let admin = system.client().admin().await;
    let mut job = quick_job(&unique("retry"));
    job["run_at"] = json!("2999-01-01T00:00:00Z");
    let id = admin.submit(job).await;
    admin.post(&format!("/training/{id}/retry"), Value::Null).await.problem(409);
    admin.post(&format!("/training/{id}/cancel"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&id).await["status"], "cancelled");
    admin.post(&format!("/training/{id}/retry"), Value::Null).await.expect(202);
    assert_eq!(admin.finished(&id).await["status"], "succeeded", "a retry ignores the original run_at");
}
