//! The way out to the city's telephone and text gateway: one signed POST for each call or text. What is asked for and what
//! becomes of it is `app::signals::incidents::reaches`; the messages are described in docs/gateway.md.

use std::{io, path::Path, sync::Arc, time::Duration};

use app::signals::incidents::reaches::{Hand, Handed, Message, signature};
use domain::{parties::mask, time::Now};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, Uri, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Handle,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use crate::intake::trust;

/// A gateway that takes longer than this to say that it has something is tried again.
const WITHIN: Duration = Duration::from_secs(6);
/// More than this of an answer is not read.
const ANSWER_BYTES: usize = 16 * 1024;
/// More than this of a reason is not shown.
const REASON_CHARS: usize = 100;
/// Header of the signature.
const SIGNATURE: &str = "x-xiyang-signature";

/// A gateway and the secret both sides know.
#[derive(Clone)]
pub struct Gateway {
    host: String,
    port: u16,
    path: String,
    tls: Option<TlsConnector>,
    secret: Arc<[u8]>,
    clock: fn() -> Now,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gateway({}:{}{})", self.host, self.port, self.path)
    }
}

impl Gateway {
    /// Reads `http://host:port/path` or `https://…`; `ca` names who may vouch for it, when it is not the machine's to say.
    ///
    /// # Errors
    /// When the address is none, or the certificates cannot be read.
    pub fn new(url: &str, secret: &str, ca: Option<&Path>, clock: fn() -> Now) -> io::Result<Gateway> {
        let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong("http://host:port/path"))?;
        let host = uri.host().ok_or_else(|| wrong("no host"))?.to_owned();
        let (tls, usual) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => (Some(TlsConnector::from(trust(ca)?)), 443),
            _ => return Err(wrong("http:// or https://")),
        };
        Ok(Gateway {
            port: uri.port_u16().unwrap_or(usual),
            path: uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
            host,
            tls,
            secret: secret.as_bytes().into(),
            clock,
        })
    }

    /// The function a worker hands messages over with: all at once, on this runtime.
    pub fn hand(self, runtime: Handle) -> Hand {
        Box::new(move |messages| {
            let all = messages.into_iter().map(|message| {
                let gateway = self.clone();
                runtime.spawn(async move { gateway.send(&message).await })
            });
            let all: Vec<_> = all.collect();
            let wait = async {
                let mut handed = Vec::new();
                for one in all {
                    handed.push(one.await.unwrap_or_else(|_| Handed::Unreachable("发送中断".to_owned())));
                }
                handed
            };
            runtime.block_on(wait)
        })
    }

    async fn send(&self, message: &Message) -> Handed {
        let Ok(body) = serde_json::to_vec(message) else {
            return Handed::Refused("消息不能写成 JSON".to_owned());
        };
        match tokio::time::timeout(WITHIN, self.post(&message.id.to_string(), body)).await {
            Err(_) => Handed::Unreachable(format!("{} 秒没有回答", WITHIN.as_secs())),
            Ok(Err(error)) => Handed::Unreachable(error),
            Ok(Ok((status, said))) => judged(status, &said),
        }
    }

    async fn post(&self, key: &str, body: Vec<u8>) -> Result<(StatusCode, String), String> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(connecting)?;
        let request = Request::post(&self.path)
            .header(header::HOST, format!("{}:{}", self.host, self.port))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONNECTION, "close")
            .header("idempotency-key", key)
            .header(SIGNATURE, signature(&self.secret, (self.clock)().0.0.div_euclid(1_000_000), &body))
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| e.to_string())?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone()).map_err(|e| e.to_string())?;
                let stream = tls.connect(name, stream).await.map_err(|e| format!("加密连接失败：{e}"))?;
                exchange(stream, request).await
            }
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, String), String> {
    let broken = |e: hyper::Error| format!("连接中断：{e}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with the answer; what is wrong with it the answer says.
    let driven = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let said = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
    driven.abort();
    let said = said.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    Ok((status, said))
}

fn connecting(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "连接被拒绝".to_owned(),
        _ => format!("连接失败：{error}"),
    }
}

/// What an answer means: some are about this message, others about the gateway as a whole.
fn judged(status: StatusCode, said: &str) -> Handed {
    let reason = || {
        let read: Option<serde_json::Value> = serde_json::from_str(said).ok();
        let reason = read.as_ref().and_then(|v| v["reason"].as_str()).unwrap_or(said).trim();
        // It may say the number back, which has no business here.
        let short = mask::numbers_in(&reason.chars().take(REASON_CHARS).collect::<String>());
        if short.is_empty() {
            format!("网关回答 {}", status.as_u16())
        } else {
            format!("网关回答 {}：{short}", status.as_u16())
        }
    };
    match status.as_u16() {
        200..=299 => Handed::Taken,
        408 | 425 | 429 => Handed::Busy(reason()),
        // Not our address, not our secret: every message will hear the same until somebody mends it.
        401 | 403 | 404 | 405 | 407 => Handed::Unreachable(reason()),
        400..=499 => Handed::Refused(reason()),
        _ => Handed::Unreachable(reason()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_message_is_not_tried_again_and_what_is_wrong_with_the_gateway_is() {
        let judged = |code: u16, said| judged(StatusCode::from_u16(code).unwrap(), said);
        assert_eq!(judged(202, ""), Handed::Taken);
        assert_eq!(judged(422, r#"{"reason":"空号"}"#), Handed::Refused("网关回答 422：空号".into()));
        assert_eq!(judged(429, ""), Handed::Busy("网关回答 429".into()));
        assert_eq!(judged(401, "bad signature"), Handed::Unreachable("网关回答 401：bad signature".into()));
        assert!(matches!(judged(503, ""), Handed::Unreachable(_)));
    }

    #[test]
    fn an_address_is_read_or_refused() {
        let now = || Now(domain::time::At(0));
        let gateway = |url| Gateway::new(url, "s", None, now);
        assert_eq!(
            format!("{:?}", gateway("http://10.0.0.5:8090/calls?a=1").unwrap()),
            "Gateway(10.0.0.5:8090/calls?a=1)"
        );
        for bad in ["ftp://x/", "10.0.0.5:80", "", "/calls"] {
            assert!(gateway(bad).is_err(), "{bad}");
        }
    }
}
