//! A missing or invalid claim is named.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::fixture::{Fixture, auth_js, signed};
use crate::support::start;

const CALLER: &str = "ada@example.com user";

#[tokio::test]
async fn each_invalid_claim_is_named() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let now = start().timestamp();
    fixture.accepts(&signed(json!({})), CALLER).await;
    for (changes, why) in [
        (json!({"exp": null}), "claim exp is missing"),
        (json!({"exp": "soon"}), "claim exp must be a number of seconds, not 'soon'"),
        (json!({"iat": [now]}), "claim iat must be a number"),
        (json!({"nbf": "now"}), "claim nbf must be a number"),
        (json!({"nbf": now + 31}), "claim nbf is in the future"),
        (json!({"iat": now + 31}), "claim iat is in the future"),
        (json!({"iss": 7}), "claim iss of the token is 'a value that is not a text'"),
        (json!({"iss": "https://x.example.com"}), "claim iss of the token is 'https://x.example.com', which is not"),
        (json!({"iss": ""}), "claim iss is set"),
        (json!({"aud": "x"}), "claim aud is set, but the settings of the issuer have no audience"),
        (json!({"sub": null}), "claim sub and id are missing"),
        (json!({"sub": ""}), "claim sub must have 1 to 255 characters"),
        (json!({"sub": "a\0b"}), "claim sub must have 1 to 255 characters"),
        (json!({"sub": "x".repeat(256)}), "claim sub must have 1 to 255 characters"),
        (json!({"sub": true}), "claim sub must be a text, not 'true'"),
        (json!({"sub": 1.5}), "claim sub must be a text, not '1.5'"),
        (json!({"sub": null, "id": {}}), "claim id must be a text, not '{}'"),
        (json!({"email": null}), "claim email is missing"),
        (json!({"email": "nobody"}), "claim email must be an e-mail address"),
        (json!({"email": ["a@example.com"]}), "claim email must be an e-mail address, not"),
    ] {
        fixture.refuses(&signed(changes), "unauthenticated", why).await;
    }
    for (changes, subject) in [
        (json!({"sub": 7}), "a number"),
        (json!({"sub": null, "id": 8}), "a number in id"),
        (json!({"sub": null, "id": "nine"}), "a text in id"),
        (json!({"iat": null, "sub": "ten"}), "no iat"),
    ] {
        let email = format!("{}@example.com", subject.replace(' ', "-"));
        let mut changes = changes;
        changes["email"] = json!(email);
        fixture.accepts(&signed(changes), &format!("{email} user")).await;
    }
}

#[tokio::test]
async fn clocks_may_differ_by_thirty_seconds() {
    let fixture = Fixture::start(auth_js(json!({}))).await;
    let now = start().timestamp();
    fixture.accepts(&signed(json!({"iat": now + 30, "nbf": now + 30, "exp": now + 60})), CALLER).await;
    fixture.accepts(&signed(json!({"exp": now - 29})), CALLER).await;
    fixture.accepts(&signed(json!({"exp": now as f64 + 0.5, "nbf": now as f64 - 0.5})), CALLER).await;
    fixture.refuses(&signed(json!({"exp": now - 30})), "token_expired", "has expired (claim exp)").await;
    fixture.refuses(&signed(json!({"exp": -1e300})), "token_expired", "has expired (claim exp)").await;
    fixture.refuses(&signed(json!({"nbf": u64::MAX})), "unauthenticated", "claim nbf is in the future").await;
    // A cached token expires.
    let token = signed(json!({}));
    fixture.accepts(&token, CALLER).await;
    fixture.clock.advance(TimeDelta::seconds(629));
    fixture.accepts(&token, CALLER).await;
    fixture.clock.advance(TimeDelta::seconds(1));
    fixture.refuses(&token, "token_expired", "has expired (claim exp)").await;
}

#[tokio::test]
async fn issuer_audience_and_party_must_match_the_settings() {
    let issuer = "https://app.example.com";
    let settings = json!({"issuer": issuer, "audience": ["yard", "jobs"], "authorized_parties": "web"});
    let fixture = Fixture::start(auth_js(settings)).await;
    let with = |changes: Value| {
        let mut all = json!({"iss": issuer, "aud": "yard", "azp": "web"});
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        signed(all)
    };
    fixture.accepts(&with(json!({})), CALLER).await;
    fixture.accepts(&with(json!({"aud": ["other", "jobs"]})), CALLER).await;
    fixture.accepts(&with(json!({"azp": null, "client_id": "web"})), CALLER).await;
    for (changes, why) in [
        (json!({"iss": null}), "claim iss of the token is missing, and every accepted issuer needs one"),
        (json!({"aud": null}), "claim aud is missing; expected 'yard' or 'jobs'"),
        (json!({"aud": "other"}), "claim aud must contain 'yard' or 'jobs', not 'other'"),
        (json!({"aud": ["other", 1]}), "claim aud must contain"),
        (json!({"aud": {"yard": true}}), "claim aud must contain"),
        (json!({"azp": null}), "claim azp and client_id are missing"),
        (json!({"azp": "cli"}), "claim azp is 'cli', which authorized_parties does not list"),
        (json!({"azp": 1}), "claim azp is '1'"),
    ] {
        fixture.refuses(&with(changes), "unauthenticated", why).await;
    }
}

#[tokio::test]
async fn a_claim_decides_the_role() {
    let roles = |role_claim: &str| json!({"role_claim": role_claim, "admin_values": ["chief", "trainyard:admin"]});
    for (claim, changes, role) in [
        ("realm_access.roles", json!({"realm_access": {"roles": ["reader", "chief"]}}), "admin"),
        ("realm_access.roles", json!({"realm_access": {"roles": ["reader"]}}), "user"),
        ("realm_access.roles", json!({"realm_access": "chief"}), "user"),
        ("realm_access.roles", json!({}), "user"),
        ("scope", json!({"scope": "openid trainyard:admin"}), "admin"),
        ("scope", json!({"scope": "openid trainyard:administrator"}), "user"),
        ("group", json!({"group": "chief"}), "admin"),
        ("group", json!({"group": {"chief": true}}), "user"),
        ("https://example.com/roles", json!({"https://example.com/roles": ["chief"]}), "admin"),
    ] {
        let fixture = Fixture::start(auth_js(roles(claim))).await;
        fixture.accepts(&signed(changes), &format!("ada@example.com {role}")).await;
    }
}

#[tokio::test]
async fn a_user_without_an_address_gets_a_placeholder() {
    let fixture = Fixture::start(auth_js(json!({"email_claim": ""}))).await;
    let caller = fixture.api(&signed(json!({"email": null}))).await;
    assert!(caller.status == 200 && caller.text.ends_with("@web.invalid user"), "{caller:?}");
    let other = fixture.api(&signed(json!({"email": null, "sub": "2"}))).await;
    assert!(other.status == 200 && other.text != caller.text, "{other:?}");
    let fixture = Fixture::start(auth_js(json!({"email_claim": "user.mail"}))).await;
    fixture.accepts(&signed(json!({"user": {"mail": "bob@example.com"}})), "bob@example.com user").await;
    for changes in [json!({}), json!({"user": null}), json!({"user": {}}), json!({"user": {"mail": null}})] {
        fixture.refuses(&signed(changes), "unauthenticated", "claim user.mail is missing").await;
    }
}
