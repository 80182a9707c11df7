//! The servers start, answer, and keep their data over a restart.

use std::process::Command;

use trainyard_testkit::{RedisServer, postgres, s3};

#[test]
fn postgres_gives_each_test_a_database_of_its_own() {
    let (one, two) = (postgres().fresh_database(), postgres().fresh_database());
    assert_ne!(one, two);
    for url in [one, two] {
        let psql = Command::new("psql").args([&url, "-tAc", "CREATE TABLE t (); SELECT 41 + 1"]).output().unwrap();
        assert!(String::from_utf8_lossy(&psql.stdout).contains("42"), "{psql:?}");
    }
}

#[test]
fn redis_keeps_its_data_over_a_restart() {
    let mut server = RedisServer::start();
    let cli = |server: &RedisServer, args: &[&str]| {
        let output = Command::new("redis-cli").args(["-u", &server.url()]).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(cli(&server, &["SET", "k", "v"]), "OK\n");
    server.signal(libc::SIGTERM);
    server.kill();
    server.resume();
    assert_eq!(cli(&server, &["GET", "k"]), "v\n");
}

#[tokio::test]
async fn s3_refuses_callers_without_a_signature() {
    let bucket = s3().fresh_bucket();
    assert!(s3().files(&bucket).is_dir());
    let endpoint = s3().env().into_iter().find(|(name, _)| *name == "AWS_ENDPOINT_URL").unwrap().1;
    let answer = reqwest::get(format!("{endpoint}/{}?list-type=2", &bucket[5..])).await.unwrap();
    assert_eq!(answer.status(), 403);
}
