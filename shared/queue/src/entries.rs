//! The stream entries of one queue and what is done with them: keys, Lua scripts, nothing that waits or retries.
//!
//! Needs Redis 6.2.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{RedisResult, Script};
use trainyard_domain::ids::JobId;
use trainyard_domain::job::PriorityClass;

use crate::keys::{Keys, over};
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

/// An entry's id, and its fields and values in turn.
type StreamEntry = (String, Vec<Vec<u8>>);
/// One stream as a blocking read answers it: its key and its entries.
type StreamAnswer = (String, Vec<StreamEntry>);

/// The next ARGV[4] entries without waiting, in groups of one class: of the highest class first, and there those that their
/// readers left idle for ARGV[3] ms before new ones. An empty ARGV[3] leaves those aside: looking for them takes as long as
/// many are being claimed.
static NEXT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local group, reader, idle, room, found = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), {}
        for n, stream in ipairs(KEYS) do
            if idle ~= '' then
                local again = {}
                for _, left in ipairs(redis.call('XPENDING', stream, group, 'IDLE', idle, '-', '+', room)) do
                    local entry = redis.call('XCLAIM', stream, group, reader, idle, left[1])[1]
                    if entry then
                        again[#again + 1] = entry
                    else
                        redis.call('XACK', stream, group, left[1])
                    end
                end
                found[#found + 1] = {n, again}
                room = room - #again
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

/// Removes entries of one class, and the marks of their jobs. Acknowledged entries stay in a stream unless deleted; all at
/// once, so that memory goes back to where it was. KEYS: stream, sent, held. ARGV: group, how many, their ids in order,
/// their jobs.
///
/// To delete an entry by its id, Redis walks through the hundred that are stored with it; to trim a stream, it drops them
/// together. What was delivered and comes before all that is still being claimed can be trimmed away.
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
        local there, gone = {}, {}
        for i, user in ipairs(redis.call('HMGET', KEYS[2], unpack(ARGV, last + 1))) do
            local job = ARGV[last + i]
            if user and not there[job] then
                there[job] = true
                gone[user] = (gone[user] or 0) + 1
            end
        end
        redis.call('HDEL', KEYS[2], unpack(ARGV, last + 1))
        for user, less in pairs(gone) do
            if redis.call('HINCRBY', KEYS[3], user, -less) <= 0 then redis.call('HDEL', KEYS[3], user) end
        end",
    )
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

impl Keys {
    /// Entries per class, those being handed over included.
    pub(crate) async fn depth(&self, link: &mut Link) -> RedisResult<Vec<(PriorityClass, u64)>> {
        let mut pipe = redis::pipe();
        for stream in &self.jobs {
            pipe.cmd("XLEN").arg(stream);
        }
        let lengths: Vec<u64> = pipe.query_async(link).await?;
        Ok(PriorityClass::ALL.into_iter().zip(lengths).collect())
    }

    /// Makes the consumer groups where they are missing, reading from the first entry.
    pub(crate) async fn create_groups(&self, link: &mut Link) -> RedisResult<()> {
        for stream in &self.jobs {
            let mut create = redis::cmd("XGROUP");
            create.arg("CREATE").arg(stream).arg(GROUP).arg("0").arg("MKSTREAM");
            match create.exec_async(link).await {
                Err(error) if error.code() == Some("BUSYGROUP") => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// The next entries, up to `room`, if there are any now; with `left_after`, those that were left idle so long too.
    pub(crate) async fn next(
        &self,
        link: &mut Link,
        reader: &str,
        left_after: Option<Duration>,
        room: usize,
    ) -> RedisResult<Vec<Entry>> {
        let mut next = over(&NEXT, &self.jobs);
        let idle = left_after.map_or(String::new(), |limit| millis(limit).to_string());
        next.arg(GROUP).arg(reader).arg(idle).arg(room);
        let found: Vec<(usize, Vec<StreamEntry>)> = next.invoke_async(link).await?;
        let of_class = |(n, entries): (usize, Vec<StreamEntry>)| {
            let class = *PriorityClass::ALL.get(n.checked_sub(1)?)?;
            Some(entries.into_iter().map(move |(id, fields)| Entry { class, id, job: job_in(&fields) }))
        };
        Ok(found.into_iter().filter_map(of_class).flatten().collect())
    }

    /// Waits up to `limit` for new entries. Up to `room` come of each stream that was filled just then, highest class first.
    pub(crate) async fn wait(
        &self,
        link: &mut Link,
        reader: &str,
        limit: Duration,
        room: usize,
    ) -> RedisResult<Vec<Entry>> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(GROUP).arg(reader).arg("COUNT").arg(room).arg("BLOCK").arg(millis(limit));
        read.arg("STREAMS").arg(&self.jobs).arg(&[">", ">", ">"]);
        let answer: Option<Vec<StreamAnswer>> = read.query_async(link).await?;
        let mut entries = Vec::new();
        for (key, found) in answer.unwrap_or_default() {
            let Some(class) = self.class_of(&key) else { continue };
            entries.extend(found.into_iter().map(|(id, fields)| Entry { class, id, job: job_in(&fields) }));
        }
        entries.sort_by_key(|entry| entry.class);
        Ok(entries)
    }

    /// Removes entries for good.
    pub(crate) async fn remove(&self, link: &mut Link, entries: &[Entry]) -> RedisResult<()> {
        for class in PriorityClass::ALL {
            let mut gone: Vec<_> = entries.iter().filter(|entry| entry.class == class).collect();
            if gone.is_empty() {
                continue;
            }
            gone.sort_by_cached_key(|entry| place_of(&entry.id));
            let n = class as usize;
            let mut remove = over(&REMOVE, [&self.jobs[n], &self.sent[n], &self.held[n]]);
            remove.arg(GROUP).arg(gone.len());
            for entry in &gone {
                remove.arg(&entry.id);
            }
            for entry in gone {
                remove.arg(entry.job.map_or(Vec::new(), |job| job.0.as_bytes().to_vec()));
            }
            let () = remove.invoke_async(link).await?;
        }
        Ok(())
    }

    /// Puts a read entry where the next worker that asks finds it at once.
    pub(crate) async fn release(&self, link: &mut Link, entry: &Entry) -> RedisResult<()> {
        let mut claim = redis::cmd("XCLAIM");
        claim.arg(&self.jobs[entry.class as usize]).arg(GROUP).arg(NOBODY).arg(0).arg(&entry.id);
        claim.arg("IDLE").arg(LONG_AGO_MS).arg("JUSTID").exec_async(link).await
    }

    /// Takes `reader` out of the group unless it still holds entries.
    pub(crate) async fn leave(&self, link: &mut Link, reader: &str) -> RedisResult<()> {
        self.forget(link, 0, reader).await
    }

    /// Takes readers out of the group that hold nothing and have not asked for `idle`: those of processes that died.
    pub(crate) async fn forget_readers(&self, link: &mut Link, idle: Duration) -> RedisResult<()> {
        self.forget(link, millis(idle), "").await
    }

    async fn forget(&self, link: &mut Link, idle_ms: u64, reader: &str) -> RedisResult<()> {
        let mut forget = over(&FORGET, &self.jobs);
        forget.arg(GROUP).arg(idle_ms).arg(reader).invoke_async(link).await
    }
}

/// Whether the groups are gone: Redis was flushed, or never had them. Inside a script's error, older versions bury the code.
pub(crate) fn lacks_group(error: &redis::RedisError) -> bool {
    error.code() == Some("NOGROUP") || error.detail().is_some_and(|detail| detail.contains("NOGROUP"))
}

/// Where in its stream an entry is: the time and the number in its id.
fn place_of(id: &str) -> Option<(u64, u64)> {
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
    fn a_job_is_read_from_its_field_alone() {
        let id = "0190b5f2-7c1a-7000-8000-000000000001";
        let fields = |pairs: &[&[u8]]| pairs.iter().map(|text| text.to_vec()).collect::<Vec<_>>();
        assert_eq!(job_in(&fields(&[b"x", b"y", b"job", id.as_bytes()])).unwrap().to_string(), id);
        assert_eq!(job_in(&fields(&[b"job", b"\xff\xfe"])), None);
        assert_eq!(job_in(&fields(&[b"job"])), None);
        assert_eq!(job_in(&fields(&[b"m", id.as_bytes()])), None);
    }
}
