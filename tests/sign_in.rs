//! Logins under attack, behind a proxy, and after changes of the settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use trainyard_testkit::{ADMIN_EMAIL, ADMIN_PASSWORD, Client, Stack, System, eventually, unique};

use crate::support::{BINARY, api_metric};

/// Number of concurrent logins with a wrong password.
const FLOOD: usize = 48;

fn wrong_login(n: usize, email: &str, password: &str) -> Value {
    json!({"email": email.replace("{n}", &n.to_string()), "password": password.replace("{n}", &n.to_string())})
}

/// Duration of a login of the administrator.
async fn login_time(client: &Client) -> Duration {
    let began = Instant::now();
    client.post("/login", json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})).await.expect(200);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_wrong_passwords_does_not_delay_a_valid_login() {
    let cost = [("TRAINYARD__AUTH__BCRYPT_COST", "12"), ("TRAINYARD__SERVER__TRUSTED_PROXIES", "127.0.0.0/8")];
    let system = System::start_with(BINARY, Stack::Embedded, 1, &cost);
    let client = system.client();
    // The first login makes the address known.
    login_time(&client).await;
    // Tests that run at the same time slow down every password check.
    let alone = login_time(&client).await;
    let limit = Duration::from_secs(2).max(alone * 8);
    // Few attempts are checked before the valid login: the running ones, one per core, and the ones that reach the queue
    // while the login reads its account.
    let cores = std::thread::available_parallelism().unwrap().get();
    let most_before = 3 * cores + 2;
    let floods = [
        ("at one account", ADMIN_EMAIL, "wrong password {n}", None),
        ("at many accounts", "user{n}@example.com", "wrong password", None),
        ("from many addresses", ADMIN_EMAIL, "wrong password", Some("203.0.113.{n}")),
        ("of identical attempts", ADMIN_EMAIL, "wrong password", None),
    ];
    for (what, email, password, address) in floods {
        let (mut flood, answered) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let checked = Arc::new(AtomicUsize::new(0));
        for n in 0..FLOOD {
            let mut request = client.request(Method::POST, "/login").json(&wrong_login(n, email, password));
            if let Some(address) = address {
                request = request.header("x-forwarded-for", address.replace("{n}", &n.to_string()));
            }
            let (client, answered, checked) = (client.clone(), answered.clone(), checked.clone());
            flood.spawn(async move {
                let status = client.send(request).await.status;
                answered.fetch_add(1, Ordering::SeqCst);
                checked.fetch_add(usize::from(status == 401), Ordering::SeqCst);
                status
            });
        }
        // Wait until all attempts of the flood are queued before the correct password. Identical attempts share one check,
        // so their requests are counted, without the one that asks for the metrics.
        let identical = what == "of identical attempts";
        eventually("the flood has arrived", Duration::from_secs(20), async || {
            let arrived = if identical {
                api_metric(&client, "trainyard_http_requests_in_flight").await.saturating_sub(1)
            } else {
                api_metric(&client, "trainyard_auth_password_checks_waiting").await + cores
            };
            (arrived + answered.load(Ordering::SeqCst) >= FLOOD).then_some(())
        })
        .await;
        let before = checked.load(Ordering::SeqCst);
        assert!(
            identical || before < FLOOD / 2,
            "{what}: {before} wrong passwords were checked before all had arrived"
        );
        let took = login_time(&client).await;
        let earlier = checked.load(Ordering::SeqCst) - before;
        println!("{what}: {took:?}, alone {alone:?}, behind {earlier} wrong passwords");
        let in_order = identical || earlier <= most_before;
        assert!(in_order, "{what}: {earlier} wrong passwords were checked before the valid login");
        assert!(took < limit, "{what}: {took:?}, alone {alone:?}");
        flood.join_all().await.into_iter().for_each(|status| assert!(matches!(status, 401 | 429 | 503), "{status}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_sets_the_client_address() {
    let settings = [("TRAINYARD__SERVER__TRUSTED_PROXIES", "127.0.0.0/8"), ("TRAINYARD__AUTH__MAX_FAILED_LOGINS", "2")];
    let system = System::start_with(BINARY, Stack::Embedded, 1, &settings);
    let client = system.client();
    let email = format!("{}@example.com", unique("forwarded"));
    let fail_from = async |address: &str| {
        let body = json!({"email": email, "password": "not that one"});
        let request = client.request(Method::POST, "/login").header("x-forwarded-for", address).json(&body);
        client.send(request).await.status
    };
    for (address, expected) in [
        ("203.0.113.9", 401),
        ("198.51.100.1, 203.0.113.9", 401),
        ("198.51.100.2, 203.0.113.9", 429),
        ("203.0.113.10", 401),
        ("2001:db8:1:2::1", 401),
        ("2001:db8:1:2:ffff::1", 401),
        ("2001:db8:1:2:3::1", 429),
        ("2001:db8:1:3::1", 401),
    ] {
        assert_eq!(fail_from(address).await, expected, "{address}");
    }
    let trail = client.admin().await.get("/admin/audit?limit=100").await.expect(200).to_string();
    assert!(trail.contains("203.0.113.10") && !trail.contains("198.51.100.1"), "{trail}");
    let log = system.log(0);
    assert!(log.contains("sign-in refused") && log.contains("203.0.113.10"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_ends_every_session_and_a_new_admin_password_logs_a_warning() {
    let mut system = System::start_with(BINARY, Stack::Embedded, 1, &[]);
    let client = system.client();
    let login = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
    let session = client.post("/login", login.clone()).await.expect(200);
    assert!(!system.log(0).contains("ADMIN_PASSWORD"), "{}", system.log(0));
    system.terminate(0);
    system.set("JWT_SECRET", "another secret for tests that is long enough");
    system.set("ADMIN_PASSWORD", "another password");
    system.resume(0);
    system.wait_ready(0);
    client.with_token(session["access_token"].as_str().unwrap()).get("/me").await.problem(401);
    client.post("/refresh", json!({"refresh_token": session["refresh_token"]})).await.problem(401);
    let warning = system.log(0);
    let warning = warning.lines().find(|line| line.contains("ADMIN_PASSWORD")).expect("a warning");
    assert!(warning.contains("WARN") && warning.contains("is ignored"), "{warning}");
    client.post("/login", json!({"email": ADMIN_EMAIL, "password": "another password"})).await.problem(401);
    client.post("/login", login.clone()).await.expect(200);

    // The password can be reset on the server without the old password.
    system.terminate(0);
    let folder = system.folder().join("data");
    let reset = system.command("reset-admin-password").arg("--data-dir").arg(folder).output().unwrap();
    assert!(reset.status.success(), "{reset:?}");
    system.resume(0);
    system.wait_ready(0);
    client.post("/login", login).await.problem(401);
    let once = String::from_utf8(reset.stdout).unwrap();
    let session = client.post("/login", json!({"email": ADMIN_EMAIL, "password": once.trim()})).await.expect(200);
    assert_eq!(session["must_change_password"], true);
}
