//! Keys come and go, and so does the provider.

use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use trainyard_testkit::eventually;

use super::gate::Gate;
use super::provider::{Provider, SigningKey};

const CALLER: &str = "ada@example.com user";
const DISCOVERY: &str = "/.well-known/openid-configuration";

fn key(kid: &str) -> SigningKey {
    SigningKey::new(Algorithm::ES256, kid)
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_made_up_ones_do_not_flood_the_provider() {
    let (old, new) = (key("old"), key("new"));
    let provider = Provider::start(&[&old]).await;
    let gate = Gate::open(provider.settings(json!({}))).await;
    gate.accepts(&provider.token(&old), CALLER).await;
    assert_eq!(provider.requests(), 2, "discovery and keys");
    provider.publish(&[&old, &new]);
    // Too soon after the last fetch.
    gate.refuses(&provider.token(&new), "unauthenticated", "its kid 'new' is not among the published keys").await;
    assert_eq!(provider.requests(), 2);
    gate.clock.advance(TimeDelta::seconds(10));
    let many = futures::future::join_all((0..20).map(|_| async { gate.api(&provider.token(&new)).await })).await;
    assert!(many.iter().all(|answer| answer.status == 200), "{many:?}");
    assert_eq!(provider.requests(), 4, "one fetch for all of them");
    for n in 0..20 {
        let token = provider.token(&key(&format!("made-up-{n}")));
        gate.refuses(&token, "unauthenticated", "is not among the published keys").await;
    }
    assert_eq!(provider.requests(), 4);
}

#[tokio::test]
async fn a_withdrawn_key_stops_when_its_time_is_up_also_for_tokens_seen_before() {
    let (old, new) = (key("old"), key("new"));
    let provider = Provider::start(&[&old]).await;
    let gate = Gate::open(provider.settings(json!({}))).await;
    let token = provider.token(&old);
    gate.accepts(&token, CALLER).await;
    provider.publish(&[&new]);
    gate.clock.advance(TimeDelta::seconds(599));
    gate.accepts(&token, CALLER).await;
    gate.clock.advance(TimeDelta::seconds(1));
    // The request that finds the keys old does not wait for new ones.
    gate.api(&token).await;
    eventually("the key is gone", Duration::from_secs(5), async || {
        (gate.api(&token).await.status == 401).then_some(())
    })
    .await;
    gate.refuses(&token, "unauthenticated", "its kid 'old' is not among the published keys").await;
}

#[tokio::test]
async fn known_keys_go_on_while_the_provider_is_away() {
    let key = key("only");
    let provider = Provider::start(&[&key]).await;
    let gate = Gate::open(provider.settings(json!({}))).await;
    gate.accepts(&provider.token(&key), CALLER).await;
    provider.put("/keys", (503, vec![], String::new()));
    // Each token lasts for ten minutes; the keys' age alone is at stake.
    for _ in 0..3 {
        gate.clock.advance(TimeDelta::seconds(200));
        let token = provider.token(&key);
        gate.accepts(&token, CALLER).await;
    }
    gate.clock.advance(TimeDelta::seconds(20));
    gate.api(&provider.token(&key)).await;
    eventually("the provider is asked again", Duration::from_secs(5), async || (provider.requests() > 2).then_some(()))
        .await;
    gate.accepts(&provider.token(&key), CALLER).await;
}

#[tokio::test]
async fn the_provider_says_how_long_its_keys_last_within_bounds() {
    for (cache_control, seconds, asked_again) in [
        ("public, max-age=120", 119, false),
        ("public, max-age=120", 120, true),
        ("no-store", 59, false),
        ("no-cache", 60, true),
        ("max-age=\"1\"", 60, true),
        ("max-age=999999999", 600, false),
        ("private", 599, false),
    ] {
        let key = key("only");
        let provider = Provider::start(&[]).await;
        let keys = json!({"keys": [key.published]}).to_string();
        provider.put("/keys", (200, vec![("cache-control", cache_control.to_owned())], keys));
        let gate = Gate::open(provider.settings(json!({"jwks_url": format!("{}/keys", provider.issuer)}))).await;
        let token = provider.token(&key);
        gate.accepts(&token, CALLER).await;
        assert_eq!(provider.requests(), 1, "no discovery");
        gate.clock.advance(TimeDelta::seconds(seconds));
        gate.accepts(&token, CALLER).await;
        if asked_again {
            let limit = Duration::from_secs(5);
            eventually(cache_control, limit, async || (provider.requests() == 2).then_some(())).await;
        } else {
            assert_eq!(provider.requests(), 1, "{cache_control} after {seconds} s");
        }
    }
}

#[tokio::test]
async fn documents_that_can_not_be_used_leave_the_keys_out_of_reach() {
    let key = key("only");
    let keys = || json!({"keys": [key.published]}).to_string();
    let elsewhere = |issuer: &str, jwks_uri: Value| json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string();
    let provider = Provider::start(&[&key]).await;
    let base = provider.issuer.clone();
    let redirect = |to: &str| (302, vec![("location", to.to_owned())], String::new());
    for (path, document) in [
        (DISCOVERY, (404, vec![], String::new())),
        (DISCOVERY, (200, vec![], "<html>".to_owned())),
        (DISCOVERY, (200, vec![], elsewhere("https://other.example.com", json!(format!("{base}/keys"))))),
        (DISCOVERY, (200, vec![], elsewhere(&base, json!("http://keys.example.com/keys")))),
        (DISCOVERY, (200, vec![], elsewhere(&base, json!("data:,{}")))),
        (DISCOVERY, (200, vec![], elsewhere(&base, json!("no address")))),
        (DISCOVERY, redirect(&format!("{base}{DISCOVERY}"))),
        (DISCOVERY, redirect("http://keys.example.com/")),
        ("/keys", (500, vec![], keys())),
        ("/keys", (200, vec![], "[]".to_owned())),
        ("/keys", (200, vec![], json!({"keys": []}).to_string())),
        ("/keys", (200, vec![], format!("{}{}", keys(), " ".repeat(600_000)))),
    ] {
        let provider = Provider::start(&[&key]).await;
        let mut document = document;
        // The provider's own address differs from the first one's.
        document.2 = document.2.replace(&base, &provider.issuer);
        document.1.iter_mut().for_each(|(_, value)| *value = value.replace(&base, &provider.issuer));
        provider.put(path, document.clone());
        let gate = Gate::open(provider.settings(json!({}))).await;
        let token = provider.token(&key);
        let answer = gate.api(&token).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"), "{path} {document:?}");
        assert!(answer.text.contains("signing keys of issuer id") && !answer.header("retry-after").is_empty());
        assert!(!answer.text.contains("127.0.0.1"), "{answer:?}");
        // Once it answers as it should, so do we: within seconds.
        let asked = provider.requests();
        assert_eq!(gate.api(&token).await.status, 503);
        assert_eq!(provider.requests(), asked, "too soon");
    }
    let moved = Provider::start(&[&key]).await;
    let keys = json!({"keys": [key.published]}).to_string();
    moved.put("/moved", (200, vec![], keys));
    moved.put("/keys", redirect("/moved"));
    let gate = Gate::open(moved.settings(json!({}))).await;
    gate.accepts(&moved.token(&key), CALLER).await;
}

#[tokio::test]
async fn a_provider_that_was_away_at_the_start_is_asked_again_soon() {
    let key = key("only");
    let provider = Provider::start(&[&key]).await;
    provider.put("/keys", (500, vec![], String::new()));
    let gate = Gate::open(provider.settings(json!({}))).await;
    let token = provider.token(&key);
    assert_eq!(gate.api(&token).await.status, 503);
    provider.publish(&[&key]);
    gate.clock.advance(TimeDelta::seconds(2));
    gate.accepts(&token, CALLER).await;
}

#[tokio::test]
async fn a_provider_that_never_answers_holds_up_only_tokens_of_unknown_keys_and_those_for_five_seconds() {
    let (known, unknown) = (key("known"), key("unknown"));
    let provider = Provider::start(&[&known]).await;
    let gate = Gate::open(provider.settings(json!({}))).await;
    gate.accepts(&provider.token(&known), CALLER).await;
    provider.put("/keys", (0, vec![], String::new()));
    gate.clock.advance(TimeDelta::seconds(10));
    let (began, token) = (std::time::Instant::now(), provider.token(&unknown));
    let mut waiting = std::pin::pin!(gate.api(&token));
    assert!(futures::poll!(&mut waiting).is_pending(), "waits for the keys");
    gate.accepts(&provider.token(&known), CALLER).await;
    assert!(futures::poll!(&mut waiting).is_pending() && began.elapsed() < Duration::from_secs(2));
    let answer = waiting.await;
    assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
