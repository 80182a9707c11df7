//! Key rotation, and an unavailable provider.

use std::time::Duration;

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use trainyard_testkit::eventually;

use super::fixture::Fixture;
use super::provider::Provider;
use super::signing_key::SigningKey;

const CALLER: &str = "ada@example.com user";
const DISCOVERY: &str = "/.well-known/openid-configuration";

fn key(kid: &str) -> SigningKey {
    SigningKey::new(Algorithm::ES256, kid)
}

#[tokio::test]
async fn a_new_key_is_fetched_once_and_invented_ones_do_not_flood_the_provider() {
    let (old, new) = (key("old"), key("new"));
    let provider = Provider::start(&[&old]).await;
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    fixture.accepts(&provider.token(&old), CALLER).await;
    assert_eq!(provider.requests(), 2, "discovery and keys");
    provider.publish(&[&old, &new]);
    // Within the minimum interval after the last fetch.
    fixture.refuses(&provider.token(&new), "unauthenticated", "no published key has the kid 'new'").await;
    assert_eq!(provider.requests(), 2);
    fixture.clock.advance(TimeDelta::seconds(10));
    let many = futures::future::join_all((0..20).map(|_| async { fixture.api(&provider.token(&new)).await })).await;
    assert!(many.iter().all(|answer| answer.status == 200), "{many:?}");
    assert_eq!(provider.requests(), 4, "all requests share one fetch");
    for n in 0..20 {
        let token = provider.token(&key(&format!("made-up-{n}")));
        fixture.refuses(&token, "unauthenticated", "no published key has the kid").await;
    }
    assert_eq!(provider.requests(), 4);
}

#[tokio::test]
async fn a_withdrawn_key_expires_also_for_cached_tokens() {
    let (old, new) = (key("old"), key("new"));
    let provider = Provider::start(&[&old]).await;
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    let token = provider.token(&old);
    fixture.accepts(&token, CALLER).await;
    provider.publish(&[&new]);
    fixture.clock.advance(TimeDelta::seconds(599));
    fixture.accepts(&token, CALLER).await;
    fixture.clock.advance(TimeDelta::seconds(1));
    // The request that finds expired keys does not wait for new ones.
    fixture.api(&token).await;
    eventually("the key is gone", Duration::from_secs(5), async || {
        (fixture.api(&token).await.status == 401).then_some(())
    })
    .await;
    fixture.refuses(&token, "unauthenticated", "no published key has the kid 'old'").await;
}

#[tokio::test]
async fn known_keys_remain_in_use_while_the_provider_is_unavailable() {
    let key = key("only");
    let provider = Provider::start(&[&key]).await;
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    fixture.accepts(&provider.token(&key), CALLER).await;
    provider.put("/keys", (503, vec![], String::new()));
    // The tokens stay valid, so only the age of the keys matters.
    for _ in 0..3 {
        fixture.clock.advance(TimeDelta::seconds(200));
        let token = provider.token(&key);
        fixture.accepts(&token, CALLER).await;
    }
    fixture.clock.advance(TimeDelta::seconds(20));
    fixture.api(&provider.token(&key)).await;
    eventually("the keys are fetched again", Duration::from_secs(5), async || (provider.requests() > 2).then_some(()))
        .await;
    fixture.accepts(&provider.token(&key), CALLER).await;
}

#[tokio::test]
async fn max_age_sets_the_lifetime_of_keys_within_bounds() {
    for (cache_control, seconds, fetched_again) in [
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
        let fixture = Fixture::start(provider.settings(json!({"jwks_url": format!("{}/keys", provider.issuer)}))).await;
        let token = provider.token(&key);
        fixture.accepts(&token, CALLER).await;
        assert_eq!(provider.requests(), 1, "no discovery");
        fixture.clock.advance(TimeDelta::seconds(seconds));
        fixture.accepts(&token, CALLER).await;
        if fetched_again {
            let limit = Duration::from_secs(5);
            eventually(cache_control, limit, async || (provider.requests() == 2).then_some(())).await;
        } else {
            assert_eq!(provider.requests(), 1, "{cache_control} after {seconds} s");
        }
    }
}

#[tokio::test]
async fn invalid_documents_leave_the_keys_unavailable() {
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
        // The address of this provider differs from that of the first one.
        document.2 = document.2.replace(&base, &provider.issuer);
        document.1.iter_mut().for_each(|(_, value)| *value = value.replace(&base, &provider.issuer));
        provider.put(path, document.clone());
        let fixture = Fixture::start(provider.settings(json!({}))).await;
        let token = provider.token(&key);
        let answer = fixture.api(&token).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"), "{path} {document:?}");
        assert!(answer.text.contains("signing keys of issuer id") && !answer.header("retry-after").is_empty());
        assert!(!answer.text.contains("127.0.0.1"), "{answer:?}");
        // No fetch follows within the minimum interval.
        let asked = provider.requests();
        assert_eq!(fixture.api(&token).await.status, 503);
        assert_eq!(provider.requests(), asked, "within the minimum interval");
    }
    let moved = Provider::start(&[&key]).await;
    let keys = json!({"keys": [key.published]}).to_string();
    moved.put("/moved", (200, vec![], keys));
    moved.put("/keys", redirect("/moved"));
    let fixture = Fixture::start(moved.settings(json!({}))).await;
    fixture.accepts(&moved.token(&key), CALLER).await;
}

#[tokio::test]
async fn a_provider_that_was_unavailable_at_the_start_is_retried_soon() {
    let key = key("only");
    let provider = Provider::start(&[&key]).await;
    provider.put("/keys", (500, vec![], String::new()));
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    let token = provider.token(&key);
    assert_eq!(fixture.api(&token).await.status, 503);
    provider.publish(&[&key]);
    fixture.clock.advance(TimeDelta::seconds(2));
    fixture.accepts(&token, CALLER).await;
}

#[tokio::test]
async fn a_provider_that_never_responds_delays_only_tokens_of_unknown_keys_by_five_seconds() {
    let (known, unknown) = (key("known"), key("unknown"));
    let provider = Provider::start(&[&known]).await;
    let fixture = Fixture::start(provider.settings(json!({}))).await;
    fixture.accepts(&provider.token(&known), CALLER).await;
    provider.put("/keys", (0, vec![], String::new()));
    fixture.clock.advance(TimeDelta::seconds(10));
    let (began, token) = (std::time::Instant::now(), provider.token(&unknown));
    let mut waiting = std::pin::pin!(fixture.api(&token));
    assert!(futures::poll!(&mut waiting).is_pending(), "the request waits for the keys");
    fixture.accepts(&provider.token(&known), CALLER).await;
    assert!(futures::poll!(&mut waiting).is_pending() && began.elapsed() < Duration::from_secs(2));
    let answer = waiting.await;
    assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
