//! Ids: UUIDv7, which sort by creation time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{Builder, ContextV7, Timestamp, Uuid};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id. Sorts after every id that was created before `now`.
            pub fn at(now: DateTime<Utc>) -> Self {
                Self(uuid_at(now))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// Id of an account.
    UserId
);
id!(
    /// Id of a job.
    JobId
);
id!(
    /// Id of one version of a dataset.
    DatasetId
);
id!(
    /// Id of a webhook delivery.
    DeliveryId
);
id!(
    /// Id of a bulk action.
    ActionId
);
id!(
    /// Id of a schedule.
    ScheduleId
);
id!(
    /// Id of an API key.
    ApiKeyId
);
id!(
    /// Id of a guard.
    GuardId
);

/// A UUIDv7 with the timestamp `now`, or 1970 for earlier times. The 12 bits after the milliseconds hold their fraction (RFC
/// 9562, section 6.2, method 3), so ids of different microseconds sort by time.
pub fn uuid_at(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let context = ContextV7::new().with_additional_precision();
    Uuid::new_v7(Timestamp::from_unix(context, seconds, now.timestamp_subsec_nanos()))
}

/// The smallest UUIDv7 with the timestamp `at` in milliseconds. No id created at `at` or later is smaller.
pub fn first_uuid_at(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_of_different_microseconds_sort_by_time_and_ids_of_the_same_time_differ() {
        let at = DateTime::from_timestamp_micros(1_760_000_000_123_000).unwrap();
        let ids: Vec<_> = (0..2_000).map(|micros| uuid_at(at + TimeDelta::microseconds(micros))).collect();
        assert!(ids.is_sorted() && ids.iter().all(|id| id.get_version_num() == 7));
        assert_ne!(uuid_at(at), uuid_at(at));
    }

    #[test]
    fn the_first_id_of_a_moment_parts_those_before_from_the_others() {
        let at = DateTime::from_timestamp_micros(1_760_000_000_123_456).unwrap();
        let first = first_uuid_at(at);
        assert!(first <= uuid_at(at) && first <= uuid_at(at + TimeDelta::milliseconds(1)));
        assert!(first > uuid_at(at - TimeDelta::milliseconds(1)));
        assert!(first_uuid_at(DateTime::UNIX_EPOCH - TimeDelta::days(1)) <= uuid_at(DateTime::UNIX_EPOCH));
    }
}
