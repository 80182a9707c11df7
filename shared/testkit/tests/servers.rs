//! The servers start, respond, and keep their data across a restart.

use std::process::Command;

use trainyard_testkit::{NetworkState, Proxy, RedisServer, eventually, postgres, s3};

#[test]
fn each_test_gets_its_own_postgres_database() {
    let (one, two) = (postgres().fresh_database(), postgres().fresh_database());
    assert_ne!(one, two);
    for url in [one, two] {
        let psql = Command::new("psql").args([&url, "-tAc", "CREATE TABLE t (); SELECT 41 + 1"]).output().unwrap();
        assert!(String::from_utf8_lossy(&psql.stdout).contains("42"), "{psql:?}");
    }
}

#[test]
fn redis_keeps_its_data_across_a_restart() {
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
    trainyard_tls::install_provider();
    let answer = reqwest::get(format!("{endpoint}/{}?list-type=2", &bucket[5..])).await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn the_proxy_simulates_all_faults() {
    use std::time::{Duration, Instant};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = server.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut from, mut to) = socket.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    let proxy = Proxy::start(port);
    let connect = || tokio::net::TcpStream::connect(("127.0.0.1", proxy.port()));
    let echoed = async |socket: &mut tokio::net::TcpStream| {
        socket.write_all(b"0123456789").await.unwrap();
        let mut answer = [0; 10];
        let mut length = 0;
        while length < 10 {
            match socket.read(&mut answer[length..]).await {
                Ok(more @ 1..) => length += more,
                Ok(_) | Err(_) => break,
            }
        }
        length
    };

    let mut socket = connect().await.unwrap();
    assert_eq!(echoed(&mut socket).await, 10);

    proxy.set(NetworkState::Slow(Duration::from_millis(200)));
    let started = Instant::now();
    assert_eq!(echoed(&mut socket).await, 10);
    assert!(started.elapsed() >= Duration::from_millis(200));

    proxy.set(NetworkState::Silent);
    let silent = tokio::time::timeout(Duration::from_millis(300), echoed(&mut socket)).await;
    assert!(silent.is_err(), "nothing is forwarded");
    proxy.set(NetworkState::Healthy);
    let mut late = [0; 10];
    socket.read_exact(&mut late).await.unwrap();
    assert_eq!(&late, b"0123456789", "data arrives after the partition has ended");

    proxy.set(NetworkState::Truncated(4));
    assert_eq!(echoed(&mut socket).await, 4);

    proxy.set(NetworkState::Healthy);
    let mut socket = connect().await.unwrap();
    assert_eq!(echoed(&mut socket).await, 10);
    proxy.set(NetworkState::Refused);
    assert!(matches!(socket.read(&mut late).await, Ok(0) | Err(_)), "the connection is closed");
    eventually("connections are refused", Duration::from_secs(5), async || connect().await.is_err().then_some(()))
        .await;
    proxy.set(NetworkState::Healthy);
    eventually("connections are accepted again", Duration::from_secs(5), async || {
        let mut socket = connect().await.ok()?;
        (echoed(&mut socket).await == 10).then_some(())
    })
    .await;
}
