//! A private S3 endpoint over HTTP that verifies signatures.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;

use crate::folder::temporary_folder;
use crate::unique;

const ACCESS_KEY: &str = "trainyard";
const SECRET_KEY: &str = "trainyard-secret";

/// A running S3 endpoint; buckets are folders.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    folder: TempDir,
    broken: Arc<AtomicBool>,
}

/// The endpoint of all tests of this process. Each test uses its own [`S3Server::fresh_bucket`].
pub fn s3() -> &'static S3Server {
    static SERVER: OnceLock<S3Server> = OnceLock::new();
    SERVER.get_or_init(S3Server::start)
}

impl S3Server {
    /// Starts a separate endpoint.
    pub fn start() -> Self {
        let folder = temporary_folder("s3");
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let broken = Arc::new(AtomicBool::new(false));
        let service = Breakable { service, broken: Arc::clone(&broken) };
        std::thread::spawn(move || serve(listener, service));
        Self { address, folder, broken }
    }

    /// The `AWS_*` settings for clients.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets whether the endpoint answers every request with 500.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// Creates a bucket and returns its `s3://` URL.
    pub fn fresh_bucket(&self) -> String {
        let name = unique("bucket");
        std::fs::create_dir(self.folder.path().join(&name)).unwrap();
        format!("s3://{name}")
    }

    /// The folder with the objects of a bucket, for tests that damage them.
    pub fn files(&self, bucket_url: &str) -> PathBuf {
        self.folder.path().join(bucket_url.trim_start_matches("s3://"))
    }
}

/// The service, which can be set to fail.
#[derive(Clone)]
struct Breakable {
    service: S3Service,
    broken: Arc<AtomicBool>,
}

impl Service<Request<Incoming>> for Breakable {
    type Response = <S3Service as Service<Request<Incoming>>>::Response;
    type Error = <S3Service as Service<Request<Incoming>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if !self.broken.load(Ordering::SeqCst) {
            return Box::pin(Service::call(&self.service, request));
        }
        let mut answer = Response::new(s3s::Body::empty());
        *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        Box::pin(std::future::ready(Ok(answer)))
    }
}

fn serve(listener: std::net::TcpListener, service: Breakable) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let http = Builder::new(TokioExecutor::new());
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let connection = http.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
            tokio::spawn(connection);
        }
    });
}
