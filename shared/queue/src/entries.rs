//! The stream entries of one queue and what is done with them: keys, Lua scripts, nothing that waits or retries.
//!
//! All keys of a queue share the hash tag `{prefix}`, so that a cluster keeps them in one slot and a script may touch them
//! together. Needs Redis 6.2.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{RedisResult, Script};
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::link::Link;

/// The consumer group that all workers are in.
const GROUP: &str = "workers";
/// Owns entries that were read but not wanted, until another worker takes them.
const NOBODY: &str = "nobody";
/// The idle time such entries are given: more than any worker waits before it takes one.
const LONG_AGO_MS: u64 = 24 * 3_600 * 1_000;

/// An entry as read: its stream, its id there, and the raw job id if it has that field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) class: PriorityClass,
    pub(crate) id: String,
    pub(crate) job: Option<JobId>,
}

/// One stream as a blocking read answers it: its key and its entries with their fields and values in turn.
type StreamAnswer = (String, Vec<(String, Vec<Vec<u8>>)>);

/// The next entry without waiting: of the highest class first, and there one that its reader left idle before a new one.
static NEXT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for n, stream in ipairs(KEYS) do
            local left = redis.call('XPENDING', stream, ARGV[1], 'IDLE', ARGV[3], '-', '+', 1)[1]
            if left then
                local entry = redis.call('XCLAIM', stream, ARGV[1], ARGV[2], ARGV[3], left[1])[1]
                if entry then return {n, entry[1], entry[2]} end
                redis.call('XACK', stream, ARGV[1], left[1])
            end
            local new = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', stream, '>')
            if new then return {n, new[1][2][1][1], new[1][2][1][2]} end
        end
        return false",
    )
});

/// Acknowledged entries stay in a stream unless deleted; both at once, so that memory goes back to where it was.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) return redis.call('XDEL', KEYS[1], ARGV[2])")
});

/// Takes consumers out of the group that have been idle for ARGV[2] ms and hold nothing: all, or the one named ARGV[3].
/// Deleting one that holds entries would lose them, so look and deletion are one step.
static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, stream in ipairs(KEYS) do
            local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, ARGV[1])
            for _, flat in ipairs(consumers) do
                local consumer = {}
                for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
                local meant = ARGV[3] == '' or consumer.name == ARGV[3]
                if meant and consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
                    redis.call('XGROUP', 'DELCONSUMER', stream, ARGV[1], consumer.name)
                end
            end
        end",
    )
});

/// The keys of one queue.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    streams: [String; 3],
}

impl Entries {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { streams: PriorityClass::ALL.map(|class| format!("{{{prefix}}}:jobs:{}", class.as_str())) }
    }

    fn stream(&self, class: PriorityClass) -> &str {
        &self.streams[class as usize]
    }

    /// Appends the jobs in one round trip.
    pub(crate) async fn add(&self, link: &mut Link, jobs: &[(JobId, PriorityClass)]) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for (job, class) in jobs {
            pipe.cmd("XADD").arg(self.stream(*class)).arg("*").arg("job").arg(job.to_string()).ignore();
        }
        pipe.exec_async(link).await
    }

    /// Entries per class, those being handed over included.
    pub(crate) async fn depth(&self, link: &mut Link) -> RedisResult<Vec<(PriorityClass, u64)>> {
        let mut pipe = redis::pipe();
        for stream in &self.streams {
            pipe.cmd("XLEN").arg(stream);
        }
        let lengths: Vec<u64> = pipe.query_async(link).await?;
        Ok(PriorityClass::ALL.into_iter().zip(lengths).collect())
    }

    /// The age of the first entry per class, by Redis's own clock, which also wrote the entries' ids.
    pub(crate) async fn oldest(&self, link: &mut Link) -> RedisResult<Vec<(PriorityClass, Option<Duration>)>> {
        let mut pipe = redis::pipe();
        pipe.cmd("TIME");
        for stream in &self.streams {
            pipe.cmd("XRANGE").arg(stream).arg("-").arg("+").arg("COUNT").arg(1);
        }
        type First = Vec<(String, Vec<Vec<u8>>)>;
        let (now, high, normal, low): ((u64, u64), First, First, First) = pipe.query_async(link).await?;
        let now_ms = now.0 * 1_000 + now.1 / 1_000;
        let age = |first: First| {
            let (id, _) = first.into_iter().next()?;
            let sent_ms: u64 = id.split_once('-')?.0.parse().ok()?;
            Some(Duration::from_millis(now_ms.saturating_sub(sent_ms)))
        };
        Ok(PriorityClass::ALL.into_iter().zip([high, normal, low].map(age)).collect())
    }

    /// Makes the consumer groups where they are missing, reading from the first entry.
    pub(crate) async fn create_groups(&self, link: &mut Link) -> RedisResult<()> {
        for stream in &self.streams {
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(stream).arg(GROUP).arg("0").arg("MKSTREAM");
            match create.exec_async(link).await {
                Err(error) if error.code() == Some("BUSYGROUP") => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The next entry, if there is one now.
    pub(crate) async fn next(&self, link: &mut Link, reader: &str, left_after: Duration) -> RedisResult<Option<Entry>> {
        let mut next = NEXT.key(&self.streams);
        next.arg(GROUP).arg(reader).arg(millis(left_after));
        let found: Option<(usize, String, Vec<Vec<u8>>)> = next.invoke_async(link).await?;
        Ok(found.and_then(|(n, id, fields)| {
            let class = *PriorityClass::ALL.get(n.checked_sub(1)?)?;
            Some(Entry { class, id, job: job_in(&fields) })
        }))
    }

    /// Waits up to `limit` for new entries. Usually one comes; when several streams were filled just before, one of each
    /// does, highest class first.
    pub(crate) async fn wait(&self, link: &mut Link, reader: &str, limit: Duration) -> RedisResult<Vec<Entry>> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(reader).arg("COUNT").arg(1).arg("BLOCK").arg(millis(limit));
        read.arg("STREAMS").arg(&self.streams).arg(&[">", ">", ">"]);
        let answer: Option<Vec<StreamAnswer>> = read.query_async(link).await?;
        let mut entries = Vec::new();
        for (key, found) in answer.unwrap_or_default() {
            let Some(class) = PriorityClass::ALL.into_iter().find(|class| self.stream(*class) == key) else { continue };
            entries.extend(found.into_iter().map(|(id, fields)| Entry { class, id, job: job_in(&fields) }));
        }
        entries.sort_by_key(|entry| entry.class);
        Ok(entries)
    }

    /// Removes an entry for good.
    pub(crate) async fn remove(&self, link: &mut Link, entry: &Entry) -> RedisResult<()> {
        let mut remove = REMOVE.key(self.stream(entry.class));
        remove.arg(GROUP).arg(&entry.id).invoke_async(link).await
    }

    /// Puts a read entry where the next worker that asks finds it at once.
    pub(crate) async fn release(&self, link: &mut Link, entry: &Entry) -> RedisResult<()> {
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(self.stream(entry.class)).arg(GROUP).arg(NOBODY).arg(0).arg(&entry.id);
        claim.arg("IDLE").arg(LONG_AGO_MS).arg("JUSTID").exec_async(link).await
    }

    /// Takes `reader` out of the group unless it still holds entries.
    pub(crate) async fn leave(&self, link: &mut Link, reader: &str) -> RedisResult<()> {
        FORGET.key(&self.streams).arg(GROUP).arg(0).arg(reader).invoke_async(link).await
    }

    /// Takes readers out of the group that hold nothing and have not asked for `idle`: those of processes that died.
    pub(crate) async fn forget_readers(&self, link: &mut Link, idle: Duration) -> RedisResult<()> {
        FORGET.key(&self.streams).arg(GROUP).arg(millis(idle)).arg("").invoke_async(link).await
    }
}

/// Whether the groups are gone: Redis was flushed, or never had them. Inside a script's error, older versions bury the code.
pub(crate) fn lacks_group(error: &redis::RedisError) -> bool {
    error.code() == Some("NOGROUP") || error.detail().is_some_and(|detail| detail.contains("NOGROUP"))
}

fn job_in(fields: &[Vec<u8>]) -> Option<JobId> {
    let value = fields.chunks_exact(2).find(|pair| pair[0] == b"job").map(|pair| pair[1].as_slice())?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_queue_share_a_cluster_slot() {
        let entries = Entries::new("yard");
        assert_eq!(entries.streams, ["{yard}:jobs:high", "{yard}:jobs:normal", "{yard}:jobs:low"]);
    }

    #[test]
    fn a_job_is_read_from_its_field_alone() {
        let id = "0190b5f2-7c1a-7000-8000-000000000001";
        let fields = |pairs: &[&[u8]]| pairs.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
        assert_eq!(job_in(&fields(&[b"x", b"y", b"job", id.as_bytes()])).unwrap().to_string(), id);
        assert_eq!(job_in(&fields(&[b"job", b"\xff\xfe"])), None);
        assert_eq!(job_in(&fields(&[b"job"])), None);
        assert_eq!(job_in(&fields(&[b"m", id.as_bytes()])), None);
    }
}
