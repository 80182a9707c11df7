//! Refresh tokens: rotated at each use, and a token used twice gives its whole family away.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::ids::UserId;

/// One refresh token, as stored: the token itself is known to its holder alone.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// Its id.
    pub id: Uuid,
    /// All tokens that descend from one login.
    pub family: Uuid,
    /// Whose it is.
    pub user_id: UserId,
    /// SHA-256 of the token, hexadecimal.
    pub token_hash: String,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// When it was exchanged for its successor.
    pub used_at: Option<DateTime<Utc>>,
    /// When its family was revoked, by logout or by a detected reuse.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a presented refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Exchange it for a new pair.
    Rotate,
    /// It was exchanged before: somebody holds a copy, so the family must end.
    Reused,
    /// It is over (expired or revoked).
    Over,
}

impl RefreshToken {
    /// Decides what presenting this token at `now` means.
    pub fn present(&self, now: DateTime<Utc>) -> Presented {
        if self.revoked_at.is_some() {
            Presented::Over
        } else if self.used_at.is_some() {
            Presented::Reused
        } else if self.expires_at <= now {
            Presented::Over
        } else {
            Presented::Rotate
        }
    }
}
