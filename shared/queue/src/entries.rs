//! Commands and Lua scripts for the stream entries of one queue. Nothing here retries. Needs Redis 6.2.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{RedisResult, Script};
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::connection::Connection;
use crate::keys::{Keys, invoke_with};

/// The consumer group of all workers.
const GROUP: &str = "workers";
/// The consumer that owns returned entries until a worker claims them.
const NOBODY: &str = "nobody";
/// The idle time of returned entries: longer than any worker's redelivery time.
const RETURNED_IDLE_MS: u64 = 24 * 3_600 * 1_000;

/// A stream entry: its class, its entry id, and the job id if the entry holds a valid one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) class: PriorityClass,
    pub(crate) id: String,
    pub(crate) job: Option<JobId>,
}

/// An entry id, and alternating fields and values.
type StreamEntry = (String, Vec<Vec<u8>>);
/// One stream in the answer of a blocking read: its key and its entries.
type StreamAnswer = (String, Vec<StreamEntry>);

/// Reads up to ARGV[4] entries without blocking, highest class first. In a class, entries that were idle for ARGV[3] ms
/// come before new ones. With an empty ARGV[3] idle entries are skipped, because XPENDING is slow while many are pending.
static READ: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local group, reader, idle, room, found = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), {}
        for n, stream in ipairs(KEYS) do
            if idle ~= '' then
                local idle_entries = {}
                for _, pending in ipairs(redis.call('XPENDING', stream, group, 'IDLE', idle, '-', '+', room)) do
                    local entry = redis.call('XCLAIM', stream, group, reader, idle, pending[1])[1]
                    if entry then
                        idle_entries[#idle_entries + 1] = entry
                    else
                        redis.call('XACK', stream, group, pending[1])
                    end
                end
                found[#found + 1] = {n, idle_entries}
                room = room - #idle_entries
            end
            if room == 0 then break end
            local new = redis.call('XREADGROUP', 'GROUP', group, reader, 'COUNT', room, 'STREAMS', stream, '>')
            if new then
                found[#found + 1] = {n, new[1][2]}
                room = room - #new[1][2]
            end
            if room == 0 then break end
        end
        return found",
    )
});

/// Removes entries of one class, and their jobs from the enqueued set. Acknowledged entries would otherwise stay in the
/// stream. KEYS: stream, enqueued, counts. ARGV: group, number of entries, their ids in order, their jobs.
///
/// XDEL scans the node of a hundred entries for each id, while XTRIM drops whole nodes. The script trims every delivered
/// entry before the first pending one, and deletes the others by id.
static REMOVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local count = tonumber(ARGV[2])
        local last, rest = 2 + count, 3
        local function parts(id)
            local time, number = string.match(id, '(%d+)-(%d+)')
            return tonumber(time), tonumber(number)
        end
        if redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 3, last)) == count then
            local bound = redis.call('XPENDING', KEYS[1], ARGV[1])[2] or ARGV[last]
            redis.call('XTRIM', KEYS[1], 'MINID', bound)
            local time, number = parts(bound)
            rest = last + 1
            while rest > 3 do
                local t, n = parts(ARGV[rest - 1])
                if t < time or (t == time and n < number) then break end
                rest = rest - 1
            end
        end
        if rest <= last then redis.call('XDEL', KEYS[1], unpack(ARGV, rest, last)) end
        local seen, removed = {}, {}
        for i, user in ipairs(redis.call('HMGET', KEYS[2], unpack(ARGV, last + 1))) do
            local job = ARGV[last + i]
            if user and not seen[job] then
                seen[job] = true
                removed[user] = (removed[user] or 0) + 1
            end
        end
        redis.call('HDEL', KEYS[2], unpack(ARGV, last + 1))
        for user, count in pairs(removed) do
            if redis.call('HINCRBY', KEYS[3], user, -count) <= 0 then redis.call('HDEL', KEYS[3], user) end
        end",
    )
});

/// Deletes consumers that were idle for ARGV[2] ms and have no pending entries: all, or the consumer named ARGV[3].
/// Deleting a consumer with pending entries would lose them, so the check and the deletion are one script.
static DELETE_CONSUMERS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, stream in ipairs(KEYS) do
            local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, ARGV[1])
            for _, flat in ipairs(consumers) do
                local consumer = {}
                for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
                local matches = ARGV[3] == '' or consumer.name == ARGV[3]
                if matches and consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
                    redis.call('XGROUP', 'DELCONSUMER', stream, ARGV[1], consumer.name)
                end
            end
        end",
    )
});

impl Keys {
    /// The number of entries of each class, including pending ones.
    pub(crate) async fn depth(&self, connection: &mut Connection) -> RedisResult<Vec<(PriorityClass, u64)>> {
        let mut pipe = redis::pipe();
        for stream in &self.jobs {
            pipe.cmd("XLEN").arg(stream);
        }
        let lengths: Vec<u64> = pipe.query_async(connection).await?;
        Ok(PriorityClass::ALL.into_iter().zip(lengths).collect())
    }

    /// Creates missing consumer groups, which start at the first entry.
    pub(crate) async fn create_groups(&self, connection: &mut Connection) -> RedisResult<()> {
        for stream in &self.jobs {
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(stream).arg(GROUP).arg("0").arg("MKSTREAM");
            match create.exec_async(connection).await {
                Err(error) if error.code() == Some("BUSYGROUP") => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Reads up to `room` entries without waiting. With `idle_after`, pending entries that were idle for so long are included.
    pub(crate) async fn read(
        &self,
        connection: &mut Connection,
        reader: &str,
        idle_after: Option<Duration>,
        room: usize,
    ) -> RedisResult<Vec<Entry>> {
        let mut script = invoke_with(&READ, &self.jobs);
        let idle = idle_after.map_or(String::new(), |limit| millis(limit).to_string());
        script.arg(GROUP).arg(reader).arg(idle).arg(room);
        let found: Vec<(usize, Vec<StreamEntry>)> = script.invoke_async(connection).await?;
        let of_class = |(n, entries): (usize, Vec<StreamEntry>)| {
            let class = *PriorityClass::ALL.get(n.checked_sub(1)?)?;
            Some(entries.into_iter().map(move |(id, fields)| Entry { class, id, job: job_in(&fields) }))
        };
        Ok(found.into_iter().filter_map(of_class).flatten().collect())
    }

    /// Waits up to `limit` for new entries. Returns up to `room` entries of each class, highest class first.
    pub(crate) async fn wait(
        &self,
        connection: &mut Connection,
        reader: &str,
        limit: Duration,
        room: usize,
    ) -> RedisResult<Vec<Entry>> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(reader).arg("COUNT").arg(room).arg("BLOCK").arg(millis(limit));
        read.arg("STREAMS").arg(&self.jobs).arg(&[">", ">", ">"]);
        let answer: Option<Vec<StreamAnswer>> = read.query_async(connection).await?;
        let mut entries = Vec::new();
        for (key, found) in answer.unwrap_or_default() {
            let Some(class) = self.class_of(&key) else { continue };
            entries.extend(found.into_iter().map(|(id, fields)| Entry { class, id, job: job_in(&fields) }));
        }
        entries.sort_by_key(|entry| entry.class);
        Ok(entries)
    }

    /// Acknowledges and deletes entries.
    pub(crate) async fn remove(&self, connection: &mut Connection, entries: &[Entry]) -> RedisResult<()> {
        for class in PriorityClass::ALL {
            let mut claimed: Vec<_> = entries.iter().filter(|entry| entry.class == class).collect();
            if claimed.is_empty() {
                continue;
            }
            claimed.sort_by_cached_key(|entry| parse_entry_id(&entry.id));
            let n = class as usize;
            let mut script = invoke_with(&REMOVE, [&self.jobs[n], &self.enqueued[n], &self.counts[n]]);
            script.arg(GROUP).arg(claimed.len());
            for entry in &claimed {
                script.arg(&entry.id);
            }
            for entry in claimed {
                script.arg(entry.job.map_or(Vec::new(), |job| job.0.as_bytes().to_vec()));
            }
            let () = script.invoke_async(connection).await?;
        }
        Ok(())
    }

    /// Returns a pending entry, so that the next read of any worker finds it.
    pub(crate) async fn release(&self, connection: &mut Connection, entry: &Entry) -> RedisResult<()> {
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(&self.jobs[entry.class as usize]).arg(GROUP).arg(NOBODY).arg(0).arg(&entry.id);
        claim.arg("IDLE").arg(RETURNED_IDLE_MS).arg("JUSTID").exec_async(connection).await
    }

    /// Deletes the consumer `reader` unless it has pending entries.
    pub(crate) async fn delete_reader(&self, connection: &mut Connection, reader: &str) -> RedisResult<()> {
        self.delete_consumers(connection, 0, reader).await
    }

    /// Deletes consumers without pending entries that were idle for `idle`: those of dead processes.
    pub(crate) async fn delete_idle_readers(&self, connection: &mut Connection, idle: Duration) -> RedisResult<()> {
        self.delete_consumers(connection, millis(idle), "").await
    }

    async fn delete_consumers(&self, connection: &mut Connection, idle_ms: u64, reader: &str) -> RedisResult<()> {
        let mut script = invoke_with(&DELETE_CONSUMERS, &self.jobs);
        script.arg(GROUP).arg(idle_ms).arg(reader).invoke_async(connection).await
    }
}

/// Whether the consumer groups are missing. Older versions report a script's NOGROUP only in the detail of the error.
pub(crate) fn is_group_missing(error: &redis::RedisError) -> bool {
    error.code() == Some("NOGROUP") || error.detail().is_some_and(|detail| detail.contains("NOGROUP"))
}

/// The time and the sequence number of an entry id.
fn parse_entry_id(id: &str) -> Option<(u64, u64)> {
    let (time, number) = id.split_once('-')?;
    Some((time.parse().ok()?, number.parse().ok()?))
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
    fn only_the_job_field_is_read() {
        let id = "0190b5f2-7c1a-7000-8000-000000000001";
        let fields = |pairs: &[&[u8]]| pairs.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
        assert_eq!(job_in(&fields(&[b"x", b"y", b"job", id.as_bytes()])).unwrap().to_string(), id);
        assert_eq!(job_in(&fields(&[b"job", b"\xff\xfe"])), None);
        assert_eq!(job_in(&fields(&[b"job"])), None);
        assert_eq!(job_in(&fields(&[b"m", id.as_bytes()])), None);
    }
}
