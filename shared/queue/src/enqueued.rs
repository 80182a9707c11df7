//! The enqueued set: the ids in the queue and their users. Redis holds it beside the streams, and the same scripts change
//! both, so both are lost together. A flushed queue therefore accepts every id again.

use std::collections::HashMap;
use std::sync::LazyLock;

use redis::{RedisResult, Script};
use trainyard_domain::ids::UserId;
use trainyard_domain::job::PriorityClass;
use uuid::Uuid;

use crate::connection::Connection;
use crate::enqueue::{EnqueueFrom, Enqueued, ReadyJob, UserWindow};
use crate::keys::{Keys, invoke_with};

/// Adds ids that are not enqueued, up to the window of their user. KEYS: streams, enqueued, counts, refused, three classes
/// each. ARGV: the window; 1 for a submission; then for each group of jobs of one class and user: class, user, number of
/// jobs, their ids, and their ids as text.
static ENQUEUE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local window, submission = tonumber(ARGV[1]), ARGV[2] == '1'
        local counted, answer, i = {}, {}, 3
        while i < #ARGV do
            local class, user, count = tonumber(ARGV[i]), ARGV[i + 1], tonumber(ARGV[i + 2])
            local ids, texts = i + 2, i + 2 + count
            i = texts + count + 1
            local room, present = 0, {}
            -- A submission of a user with refused jobs is refused, so its ids need no lookup.
            if not submission or redis.call('HEXISTS', KEYS[9 + class], user) == 0 then
                room = window - tonumber(redis.call('HGET', KEYS[6 + class], user) or 0)
                present = redis.call('HMGET', KEYS[3 + class], unpack(ARGV, ids + 1, texts))
            end
            local added, new, refused = {}, {}, false
            for n = 1, count do
                local job = ARGV[ids + n]
                if present[n] or new[job] then
                    answer[#answer + 1] = 1
                elseif room <= 0 then
                    refused = true
                    answer[#answer + 1] = 2
                else
                    redis.call('XADD', KEYS[class], '*', 'job', ARGV[texts + n])
                    room, new[job] = room - 1, true
                    added[#added + 1], added[#added + 2] = job, user
                    answer[#answer + 1] = 0
                end
            end
            if #added > 0 then
                redis.call('HSET', KEYS[3 + class], unpack(added))
                redis.call('HINCRBY', KEYS[6 + class], user, #added / 2)
            end
            if refused and not counted[class .. user] then
                redis.call('HINCRBY', KEYS[9 + class], user, 1)
                counted[class .. user] = true
            end
        end
        return answer",
    )
});

/// Deletes refusals whose number has not changed. KEYS: refused, three classes. ARGV: class, user, number.
static CLEAR_REFUSALS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i = 1, #ARGV, 3 do
            local key = KEYS[tonumber(ARGV[i])]
            if redis.call('HGET', key, ARGV[i + 1]) == ARGV[i + 2] then redis.call('HDEL', key, ARGV[i + 1]) end
        end",
    )
});

/// Deletes the enqueued set of a class if it is inconsistent: more ids than stream entries, or a wrong sum of counts. KEYS
/// as for [`ENQUEUE`].
static REPAIR: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local repaired = 0
        for class = 1, 3 do
            local ids, sum = redis.call('HLEN', KEYS[3 + class]), 0
            for _, count in ipairs(redis.call('HVALS', KEYS[6 + class])) do sum = sum + tonumber(count) end
            if ids > redis.call('XLEN', KEYS[class]) or sum ~= ids then
                redis.call('DEL', KEYS[3 + class], KEYS[6 + class])
                repaired = repaired + 1
            end
        end
        return repaired",
    )
});

impl Keys {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.jobs.iter().chain(&self.enqueued).chain(&self.counts).chain(&self.refused)
    }

    /// Adds the ids that fit.
    pub(crate) async fn enqueue(
        &self,
        connection: &mut Connection,
        jobs: &[ReadyJob],
        window: u64,
        from: EnqueueFrom,
    ) -> RedisResult<Vec<Enqueued>> {
        let mut script = invoke_with(&ENQUEUE, self.all());
        script.arg(window).arg(u8::from(from == EnqueueFrom::Submission));
        for group in jobs.chunk_by(|a, b| (a.user, a.class) == (b.user, b.class)) {
            script.arg(lua_index(group[0].class)).arg(group[0].user.0.as_bytes().as_slice()).arg(group.len());
            for ReadyJob { job, .. } in group {
                script.arg(job.0.as_bytes().as_slice());
            }
            for ReadyJob { job, .. } in group {
                script.arg(job.to_string());
            }
        }
        let answers: Vec<u8> = script.invoke_async(connection).await?;
        let result = |answer| match answer {
            0 => Enqueued::Added,
            1 => Enqueued::Present,
            _ => Enqueued::Refused,
        };
        Ok(answers.into_iter().map(result).collect())
    }

    /// The windows of users that have enqueued or refused ids, by class.
    pub(crate) async fn user_windows(&self, connection: &mut Connection) -> RedisResult<Vec<UserWindow>> {
        let mut pipe = redis::pipe();
        for key in self.counts.iter().chain(&self.refused) {
            pipe.cmd("HGETALL").arg(key);
        }
        let mut counts: Vec<HashMap<Vec<u8>, u64>> = pipe.query_async(connection).await?;
        let refused = counts.split_off(self.counts.len());
        let mut windows = Vec::new();
        for (class, (counts, mut refused)) in PriorityClass::ALL.into_iter().zip(counts.into_iter().zip(refused)) {
            let mut add = |raw: &[u8], enqueued, refusals| {
                // A field that is not a user id was written by another program.
                let user = Uuid::from_slice(raw).ok().map(UserId);
                windows.extend(user.map(|user| UserWindow { user, class, enqueued, refusals }));
            };
            counts.iter().for_each(|(raw, count)| add(raw, *count, refused.remove(raw).unwrap_or(0)));
            refused.iter().for_each(|(raw, refusals)| add(raw, 0, *refusals));
        }
        Ok(windows)
    }

    /// Deletes the refusals of these windows, except where more jobs were refused since the window was read.
    pub(crate) async fn clear_refusals(&self, connection: &mut Connection, windows: &[UserWindow]) -> RedisResult<()> {
        let mut script = invoke_with(&CLEAR_REFUSALS, &self.refused);
        for window in windows {
            script.arg(lua_index(window.class)).arg(window.user.0.as_bytes().as_slice()).arg(window.refusals);
        }
        script.invoke_async(connection).await
    }

    /// Deletes inconsistent enqueued sets; returns the number of classes concerned.
    pub(crate) async fn repair(&self, connection: &mut Connection) -> RedisResult<u64> {
        invoke_with(&REPAIR, self.all()).invoke_async(connection).await
    }
}

/// Lua arrays start at one.
fn lua_index(class: PriorityClass) -> usize {
    class as usize + 1
}
