//! Claims: each that is missing or wrong is named.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::gate::{Gate, auth_js, signed};
use crate::support::start;

const CALLER: &str = "ada@example.com user";

#[tokio::test]
async fn each_wrong_claim_is_named() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let now = start().timestamp();
    gate.accepts(&signed(json!({})), CALLER).await;
    for (changes, why) in [
        (json!({"exp": null}), "claim exp is missing"),
        (json!({"exp": "soon"}), "claim exp must be a number of seconds, not 'soon'"),
        (json!({"iat": [now]}), "claim iat must be a number"),
        (json!({"nbf": "now"}), "claim nbf must be a number"),
        (json!({"nbf": now + 31}), "claim nbf lies in the future"),
        (json!({"iat": now + 31}), "claim iat lies in the future"),
        (json!({"iss": 7}), "claim iss names"),
        (json!({"iss": "https://x.example.com"}), "claim iss names 'https://x.example.com', which is not"),
        (json!({"iss": ""}), "claim iss is there"),
        (json!({"aud": "x"}), "claim aud is there, but the issuer's settings name no audience"),
        (json!({"sub": null}), "claim sub is missing, and id too"),
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
        gate.refuses(&signed(changes), "unauthenticated", why).await;
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
        gate.accepts(&signed(changes), &format!("{email} user")).await;
    }
}

#[tokio::test]
async fn clocks_may_be_apart_by_thirty_seconds() {
    let gate = Gate::open(auth_js(json!({}))).await;
    let now = start().timestamp();
    gate.accepts(&signed(json!({"iat": now + 30, "nbf": now + 30, "exp": now + 60})), CALLER).await;
    gate.accepts(&signed(json!({"exp": now - 29})), CALLER).await;
    gate.accepts(&signed(json!({"exp": now as f64 + 0.5, "nbf": now as f64 - 0.5})), CALLER).await;
    gate.refuses(&signed(json!({"exp": now - 30})), "token_expired", "claim exp has passed").await;
    gate.refuses(&signed(json!({"exp": -1e300})), "token_expired", "claim exp has passed").await;
    gate.refuses(&signed(json!({"nbf": u64::MAX})), "unauthenticated", "claim nbf lies in the future").await;
    // A token that was good once is not good for ever.
    let token = signed(json!({}));
    gate.accepts(&token, CALLER).await;
    gate.clock.advance(TimeDelta::seconds(629));
    gate.accepts(&token, CALLER).await;
    gate.clock.advance(TimeDelta::seconds(1));
    gate.refuses(&token, "token_expired", "claim exp has passed").await;
}

#[tokio::test]
async fn issuer_audience_and_party_are_what_the_settings_say() {
    let issuer = "https://app.example.com";
    let settings = json!({"issuer": issuer, "audience": ["yard", "jobs"], "authorized_parties": "web"});
    let gate = Gate::open(auth_js(settings)).await;
    let with = |changes: Value| {
        let mut all = json!({"iss": issuer, "aud": "yard", "azp": "web"});
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        signed(all)
    };
    gate.accepts(&with(json!({})), CALLER).await;
    gate.accepts(&with(json!({"aud": ["other", "jobs"]})), CALLER).await;
    gate.accepts(&with(json!({"azp": null, "client_id": "web"})), CALLER).await;
    for (changes, why) in [
        (json!({"iss": null}), "claim iss is missing, and no issuer is accepted without it"),
        (json!({"aud": null}), "claim aud is missing; expected 'yard' or 'jobs'"),
        (json!({"aud": "other"}), "claim aud must contain 'yard' or 'jobs', not 'other'"),
        (json!({"aud": ["other", 1]}), "claim aud must contain"),
        (json!({"aud": {"yard": true}}), "claim aud must contain"),
        (json!({"azp": null}), "claim azp is missing, and client_id too"),
        (json!({"azp": "cli"}), "claim azp names 'cli', which is not accepted"),
        (json!({"azp": 1}), "claim azp names '1'"),
    ] {
        gate.refuses(&with(changes), "unauthenticated", why).await;
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
        let gate = Gate::open(auth_js(roles(claim))).await;
        gate.accepts(&signed(changes), &format!("ada@example.com {role}")).await;
    }
}

#[tokio::test]
async fn an_address_is_made_up_where_the_settings_ask_for_none() {
    let gate = Gate::open(auth_js(json!({"email_claim": ""}))).await;
    let caller = gate.api(&signed(json!({"email": null}))).await;
    assert!(caller.status == 200 && caller.text.ends_with("@web.invalid user"), "{caller:?}");
    let other = gate.api(&signed(json!({"email": null, "sub": "2"}))).await;
    assert!(other.status == 200 && other.text != caller.text, "{other:?}");
    let gate = Gate::open(auth_js(json!({"email_claim": "user.mail"}))).await;
    gate.accepts(&signed(json!({"user": {"mail": "bob@example.com"}})), "bob@example.com user").await;
    for changes in [json!({}), json!({"user": null}), json!({"user": {}}), json!({"user": {"mail": null}})] {
        gate.refuses(&signed(changes), "unauthenticated", "claim user.mail is missing").await;
    }
}
