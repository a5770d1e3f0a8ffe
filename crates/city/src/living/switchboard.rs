//! The city's telephone and text gateway: a real server on the loopback that takes what the platform asks for, lets family
//! and neighbours answer, not answer, be engaged or say that they go, and tells what came of it by the JSON API.

use std::{
    collections::HashSet,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{signals::incidents::reaches::signature, store::Store};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::client::Client;
use crate::{
    rng::{Rng, Seed, Topic},
    seed::Program,
};

/// A gateway that waits for calls.
#[derive(Debug)]
pub struct Switchboard {
    listener: TcpListener,
    address: SocketAddr,
    secret: String,
    token: String,
}

impl Switchboard {
    /// Takes a free port; `secret` is what both sides know.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn open(store: &Store, secret: String) -> std::io::Result<Switchboard> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Switchboard { listener, address, secret, token: Program::Telephone.token(store.vault()) })
    }

    /// Where the platform posts to.
    pub fn url(&self) -> String {
        format!("http://{}/reaches", self.address)
    }

    /// What both sides know.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Takes calls until the program ends; what comes of them is told to the platform at this address.
    pub async fn run(self, platform: SocketAddr) {
        let desk = Arc::new(Desk {
            secret: self.secret,
            token: self.token,
            platform,
            known: Mutex::new(HashSet::new()),
        });
        while let Ok((stream, _)) = self.listener.accept().await {
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let desk = Arc::clone(&desk);
                    async move { Ok::<_, Infallible>(desk.take(request).await) }
                });
                let served = hyper::server::conn::http1::Builder::new();
                // A platform that hangs up is its own business.
                let _ = served.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

struct Desk {
    secret: String,
    token: String,
    platform: SocketAddr,
    /// What was taken before: the same key is the same call.
    known: Mutex<HashSet<String>>,
}

impl Desk {
    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let word = |name: &str| {
            request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (key, signed) = (word("idempotency-key"), word("x-xiyang-signature"));
        let Ok(body) = request.into_body().collect().await.map(|b| b.to_bytes()) else {
            return said(StatusCode::BAD_REQUEST, "没有传完");
        };
        let seconds = signed.strip_prefix("t=").and_then(|t| t.split(',').next()?.parse().ok()).unwrap_or(0);
        if signature(self.secret.as_bytes(), seconds, &body) != signed {
            return said(StatusCode::UNAUTHORIZED, "签名不对");
        }
        let Ok(message) = serde_json::from_slice::<Value>(&body) else {
            return said(StatusCode::BAD_REQUEST, "不是 JSON");
        };
        let fresh = self.known.lock().is_ok_and(|mut known| known.insert(key.clone()));
        if fresh {
            let number: u64 = key.parse().unwrap_or_default();
            let client = Client::with_token(self.platform, &self.token);
            tokio::spawn(happen(client, key, number, message));
        }
        said(if fresh { StatusCode::ACCEPTED } else { StatusCode::OK }, "")
    }
}

fn said(status: StatusCode, reason: &str) -> Response<Full<Bytes>> {
    let body = json!({ "reason": reason }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}

/// What comes of one: each word after so many seconds.
fn fate(rng: &mut Rng, channel: &str, to: &str) -> Vec<(u64, &'static str)> {
    let ring = u64::from(rng.below(6)) + 3;
    let chance = rng.below(100);
    match (channel, to) {
        // Few read a text at once; some who do write back.
        ("text", _) if chance < 15 => vec![(2, "delivered"), (ring + 20, "coming")],
        ("text", _) => vec![(2, "delivered")],
        // Whoever pressed for help often cannot come to the telephone.
        (_, "elder") if chance < 55 => vec![(40, "no_answer")],
        (_, "elder") => vec![(ring, "answered")],
        (_, "station") if chance < 80 => vec![(ring, "answered"), (ring + 4, "coming")],
        _ if chance < 45 => vec![(ring, "answered"), (ring + 5, "coming")],
        _ if chance < 60 => vec![(ring, "answered"), (ring + 5, "refused")],
        _ if chance < 72 => vec![(4, "busy")],
        _ if chance < 76 => vec![(3, "unreachable")],
        _ => vec![(40, "no_answer")],
    }
}

async fn happen(mut client: Client, key: String, number: u64, message: Value) {
    let word = |field: &str| message[field].as_str().unwrap_or_default();
    let mut rng = Seed(number).stream(Topic::Stories, number);
    let mut waited = 0;
    for (after, result) in fate(&mut rng, word("channel"), word("to")) {
        tokio::time::sleep(Duration::from_secs(after - waited)).await;
        waited = after;
        let path = format!("/api/v1/reaches/{key}/result");
        let told = client.post(&path, &format!("reach-{key}-{result}"), &json!({ "result": result })).await;
        match told {
            Ok(said) if !said.good() => {
                tracing::debug!(status = said.status, body = %said.body, "the result of a call was refused");
            }
            Ok(_) => {}
            Err(fault) => tracing::debug!(%fault, "the result of a call could not be told"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_answer_do_not_answer_are_engaged_and_say_whether_they_go() {
        let mut ends = HashSet::new();
        for n in 0..200 {
            let mut rng = Seed(n).stream(Topic::Stories, n);
            let fate = fate(&mut rng, "phone", "family");
            assert!(fate.is_sorted(), "{fate:?}");
            ends.extend(fate.last().map(|end| end.1));
        }
        assert_eq!(ends, HashSet::from(["coming", "refused", "busy", "unreachable", "no_answer"]));
    }
}
