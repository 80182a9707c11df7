//! Which ids are in the queue, and whose: kept in Redis beside the streams and changed by the same scripts, so that what
//! loses the one loses the other. A queue that was emptied knows that it is empty, and is filled again.

use std::collections::HashMap;
use std::sync::LazyLock;

use redis::{RedisResult, Script};
use trainyard_domain::ids::UserId;
use trainyard_domain::job::PriorityClass;
use uuid::Uuid;

use crate::keys::{Keys, over};
use crate::link::Link;
use crate::ready::{Offered, Ready, Share, Turn};

/// Adds what is not there and within its user's window. KEYS: streams, sent, held, refused, of three classes each. ARGV:
/// the window, 1 where refused users must wait, then for each row of jobs of one class and user: class, user, how many,
/// their ids, and their ids as text.
static OFFER: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local window, last = tonumber(ARGV[1]), ARGV[2] == '1'
        local told, answer, i = {}, {}, 3
        while i < #ARGV do
            local class, user, count = tonumber(ARGV[i]), ARGV[i + 1], tonumber(ARGV[i + 2])
            local ids, texts = i + 2, i + 2 + count
            i = texts + count + 1
            local room, there = 0, {}
            -- What has to wait in any case need not be looked for.
            if not last or redis.call('HEXISTS', KEYS[9 + class], user) == 0 then
                room = window - tonumber(redis.call('HGET', KEYS[6 + class], user) or 0)
                there = redis.call('HMGET', KEYS[3 + class], unpack(ARGV, ids + 1, texts))
            end
            local marks, new, refused = {}, {}, false
            for n = 1, count do
                local job = ARGV[ids + n]
                if there[n] or new[job] then
                    answer[#answer + 1] = 1
                elseif room <= 0 then
                    refused = true
                    answer[#answer + 1] = 2
                else
                    redis.call('XADD', KEYS[class], '*', 'job', ARGV[texts + n])
                    room, new[job] = room - 1, true
                    marks[#marks + 1], marks[#marks + 2] = job, user
                    answer[#answer + 1] = 0
                end
            end
            if #marks > 0 then
                redis.call('HSET', KEYS[3 + class], unpack(marks))
                redis.call('HINCRBY', KEYS[6 + class], user, #marks / 2)
            end
            if refused and not told[class .. user] then
                redis.call('HINCRBY', KEYS[9 + class], user, 1)
                told[class .. user] = true
            end
        end
        return answer",
    )
});

/// Takes refusals back whose number has not moved. KEYS: refused, of three classes. ARGV: class, user, number.
static CAUGHT_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i = 1, #ARGV, 3 do
            local key = KEYS[tonumber(ARGV[i])]
            if redis.call('HGET', key, ARGV[i + 1]) == ARGV[i + 2] then redis.call('HDEL', key, ARGV[i + 1]) end
        end",
    )
});

/// Drops the marks of a class that can't be true: more ids than entries, or counts that don't add up. KEYS as [`OFFER`].
static MEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local mended = 0
        for class = 1, 3 do
            local sent, sum = redis.call('HLEN', KEYS[3 + class]), 0
            for _, count in ipairs(redis.call('HVALS', KEYS[6 + class])) do sum = sum + tonumber(count) end
            if sent > redis.call('XLEN', KEYS[class]) or sum ~= sent then
                redis.call('DEL', KEYS[3 + class], KEYS[6 + class])
                mended = mended + 1
            end
        end
        return mended",
    )
});

impl Keys {
    fn all(&self) -> impl Iterator<Item = &String> {
        self.jobs.iter().chain(&self.sent).chain(&self.held).chain(&self.refused)
    }

    /// Sends what may go.
    pub(crate) async fn offer(
        &self,
        link: &mut Link,
        jobs: &[Ready],
        window: u64,
        turn: Turn,
    ) -> RedisResult<Vec<Offered>> {
        let mut offer = over(&OFFER, self.all());
        offer.arg(window).arg(u8::from(turn == Turn::Last));
        for row in jobs.chunk_by(|a, b| (a.user, a.class) == (b.user, b.class)) {
            offer.arg(number(row[0].class)).arg(row[0].user.0.as_bytes().as_slice()).arg(row.len());
            for Ready { job, .. } in row {
                offer.arg(job.0.as_bytes().as_slice());
            }
            for Ready { job, .. } in row {
                offer.arg(job.to_string());
            }
        }
        let answers: Vec<u8> = offer.invoke_async(link).await?;
        let offered = |answer| match answer {
            0 => Offered::Sent,
            1 => Offered::There,
            _ => Offered::Refused,
        };
        Ok(answers.into_iter().map(offered).collect())
    }

    /// Every user that has ids in the queue or had some refused, by class.
    pub(crate) async fn shares(&self, link: &mut Link) -> RedisResult<Vec<Share>> {
        let mut pipe = redis::pipe();
        for key in self.held.iter().chain(&self.refused) {
            pipe.cmd("HGETALL").arg(key);
        }
        let mut counts: Vec<HashMap<Vec<u8>, u64>> = pipe.query_async(link).await?;
        let refused = counts.split_off(self.held.len());
        let mut shares = Vec::new();
        for (class, (held, mut refused)) in PriorityClass::ALL.into_iter().zip(counts.into_iter().zip(refused)) {
            let mut add = |raw: &[u8], held, refusals| {
                // A field that is no user's was put there by somebody else.
                let user = Uuid::from_slice(raw).ok().map(UserId);
                shares.extend(user.map(|user| Share { user, class, held, refusals }));
            };
            held.iter().for_each(|(raw, held)| add(raw, *held, refused.remove(raw).unwrap_or(0)));
            refused.iter().for_each(|(raw, refusals)| add(raw, 0, *refusals));
        }
        Ok(shares)
    }

    /// Forgets the refusals of these shares, but for users who had more refused since.
    pub(crate) async fn caught_up(&self, link: &mut Link, shares: &[Share]) -> RedisResult<()> {
        let mut caught_up = over(&CAUGHT_UP, &self.refused);
        for share in shares {
            caught_up.arg(number(share.class)).arg(share.user.0.as_bytes().as_slice()).arg(share.refusals);
        }
        caught_up.invoke_async(link).await
    }

    /// Classes whose marks were dropped because they could not be true.
    pub(crate) async fn mend(&self, link: &mut Link) -> RedisResult<u64> {
        over(&MEND, self.all()).invoke_async(link).await
    }
}

/// Lua counts from one.
fn number(class: PriorityClass) -> usize {
    class as usize + 1
}
