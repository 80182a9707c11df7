//! Refresh tokens: rotated at each use. Reuse of a token revokes its family (RFC 9700).

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::ids::UserId;

/// A refresh token, as stored: only its hash.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its id.
    pub id: Uuid,
    /// The family: all tokens that descend from one sign-in.
    pub family: Uuid,
    /// The account.
    pub user_id: UserId,
    /// Keyed hash of the token, hexadecimal.
    pub token_hash: String,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When the client exchanged it for its successor.
    pub used_at: Option<DateTime<Utc>>,
    /// Keyed hash of the address of the client that exchanged it.
    pub used_from: Option<String>,
    /// Whether its successor was returned a second time.
    pub repeated: bool,
    /// When its family was revoked, by a sign-out or a detected reuse.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// For this long after its use a token returns the same successor once more, so that two tabs can refresh concurrently.
pub const REPEAT_WINDOW: Duration = Duration::seconds(10);

/// The decision about a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshDecision {
    /// Exchange it for a new pair of tokens.
    Rotate,
    /// The same client exchanged it within [`REPEAT_WINDOW`]: return the same new pair again.
    Repeat,
    /// It was exchanged before: revoke the family, because the token was copied.
    Reused,
    /// It is expired or revoked.
    Invalid,
}

impl RefreshToken {
    /// Decides at `now` for a client whose address has the hash `from`.
    pub fn decide(&self, now: DateTime<Utc>, from: &str) -> RefreshDecision {
        if self.revoked_at.is_some() {
            return RefreshDecision::Invalid;
        }
        match self.used_at {
            None if self.expires_at <= now => RefreshDecision::Invalid,
            None => RefreshDecision::Rotate,
            Some(used_at) => {
                let same_client = self.used_from.as_deref() == Some(from);
                let in_time = now < used_at + REPEAT_WINDOW;
                if same_client && in_time && !self.repeated { RefreshDecision::Repeat } else { RefreshDecision::Reused }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_token_repeats_its_answer_once_for_the_same_client_within_the_window() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let token = RefreshToken {
            id: Uuid::nil(),
            family: Uuid::nil(),
            user_id: UserId(Uuid::nil()),
            token_hash: String::new(),
            created_at: at(0),
            expires_at: at(100),
            used_at: None,
            used_from: None,
            repeated: false,
            revoked_at: None,
        };
        assert_eq!(token.decide(at(99), "here"), RefreshDecision::Rotate);
        assert_eq!(token.decide(at(100), "here"), RefreshDecision::Invalid);
        let used = RefreshToken { used_at: Some(at(50)), used_from: Some("here".into()), ..token };
        assert_eq!(used.decide(at(59), "here"), RefreshDecision::Repeat);
        assert_eq!(used.decide(at(60), "here"), RefreshDecision::Reused);
        assert_eq!(used.decide(at(51), "elsewhere"), RefreshDecision::Reused);
        let repeated = RefreshToken { repeated: true, ..used.clone() };
        assert_eq!(repeated.decide(at(51), "here"), RefreshDecision::Reused);
        let revoked = RefreshToken { revoked_at: Some(at(51)), ..used };
        assert_eq!(revoked.decide(at(52), "here"), RefreshDecision::Invalid);
    }
}
