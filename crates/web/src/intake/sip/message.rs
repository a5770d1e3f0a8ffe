//! As much of SIP as a MESSAGE needs: a request line, headers, a body; the response and a request of our own.

use std::{fmt::Write as _, net::SocketAddr};

/// Longest head that is read.
const HEAD_MAX: usize = 8 * 1024;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// How many bytes the first message of a stream has, once it is whole. What can never become one is cut off up to the
/// next empty line.
pub(super) fn cut(stream: &[u8]) -> Option<usize> {
    let blank = stream.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let head = head_of(&stream[blank..])?;
    let text = String::from_utf8_lossy(&stream[blank..blank + head]);
    let length = headers(&text).find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap_or(0).min(HEAD_MAX * 8);
    let whole = blank + head + length;
    (stream.len() >= whole).then_some(whole)
}

fn head_of(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// Names in small letters, short forms written out.
fn headers(head: &str) -> impl Iterator<Item = (String, String)> {
    head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        let name = match name.as_str() {
            "v" => "via",
            "f" => "from",
            "t" => "to",
            "i" => "call-id",
            "l" => "content-length",
            "c" => "content-type",
            "m" => "contact",
            _ => name.as_str(),
        };
        Some((name.to_owned(), value.trim().to_owned()))
    })
}

impl Request {
    /// Reads a whole request.
    pub(super) fn read(packet: &[u8]) -> Result<Request, ()> {
        let packet = packet.trim_ascii_start();
        let head = head_of(packet).filter(|length| *length <= HEAD_MAX).ok_or(())?;
        let text = std::str::from_utf8(&packet[..head]).map_err(|_| ())?;
        let line = text.lines().next().unwrap_or_default();
        let mut words = line.split(' ');
        let (Some(method), Some(_), Some("SIP/2.0")) = (words.next(), words.next(), words.next()) else {
            return Err(());
        };
        let headers: Vec<_> = headers(text).collect();
        let has = |wanted: &str| headers.iter().any(|(name, _)| name == wanted);
        if !["via", "from", "to", "call-id", "cseq"].into_iter().all(has) {
            return Err(());
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(packet.len() - head);
        let body = packet[head..].get(..length).ok_or(())?.to_vec();
        Ok(Request { method: method.to_owned(), headers, body })
    }

    fn header(&self, wanted: &str) -> &str {
        self.headers.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
    }

    /// A response.
    pub(super) fn response(&self, status: &str) -> Vec<u8> {
        let mut out = format!("SIP/2.0 {status}\r\n");
        for (name, value) in &self.headers {
            let name = match name.as_str() {
                "via" => "Via",
                "from" => "From",
                "to" => "To",
                "call-id" => "Call-ID",
                "cseq" => "CSeq",
                _ => continue,
            };
            // The other end's own tag lets it tell our answer from another's.
            let tag = if name == "To" && !value.contains(";tag=") { ";tag=xiyang" } else { "" };
            let _ = write!(out, "{name}: {value}{tag}\r\n");
        }
        out.push_str("Content-Length: 0\r\n\r\n");
        out.into_bytes()
    }

    /// Our own MESSAGE back to where the request came from.
    pub(super) fn message(&self, transport: &str, peer: SocketAddr, body: &str, number: u64) -> Vec<u8> {
        let (from, to) = (bare(self.header("to")), bare(self.header("from")));
        let contact = bare(self.header("contact"));
        let target = if contact.is_empty() { to } else { contact };
        let (call, length) = (self.header("call-id"), body.len());
        format!(
            "MESSAGE {target} SIP/2.0\r\nVia: SIP/2.0/{transport} {peer};branch=z9hG4bKxiyang{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: <{from}>;tag=xiyang{number}\r\nTo: <{to}>\r\n\
             Call-ID: answer-{number}-{call}\r\nCSeq: 1 MESSAGE\r\nContent-Type: application/scaip+xml\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// The address within a From, To or Contact.
fn bare(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => value.split(';').next().unwrap_or(value).trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: &str = "MESSAGE sip:centre@10.0.0.1 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\r\n\
        From: \"Unit\" <sip:unit@10.0.0.9>;tag=1\r\nTo: <sip:centre@10.0.0.1>\r\nCall-ID: a\r\nCSeq: 1 MESSAGE\r\n\
        Content-Length: 5\r\n\r\nhello";

    #[test]
    fn a_message_is_read_and_answered_with_its_own_headers() {
        let ask = Request::read(ASK.as_bytes()).unwrap();
        assert_eq!((ask.method.as_str(), &ask.body[..]), ("MESSAGE", &b"hello"[..]));
        let said = String::from_utf8(ask.response("200 OK")).unwrap();
        assert!(
            said.starts_with("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\r\n"),
            "{said}"
        );
        assert!(said.contains("To: <sip:centre@10.0.0.1>;tag=xiyang\r\n"));
        let own =
            String::from_utf8(ask.message("UDP", "10.0.0.9:5060".parse().unwrap(), "<mrs/>", 7)).unwrap();
        assert!(own.starts_with("MESSAGE sip:unit@10.0.0.9 SIP/2.0\r\n") && own.ends_with("\r\n\r\n<mrs/>"));
    }

    #[test]
    fn a_stream_is_cut_where_messages_end() {
        let two = format!("\r\n{ASK}{ASK}");
        let first = cut(two.as_bytes()).unwrap();
        assert_eq!(first, ASK.len() + 2);
        assert_eq!(cut(&two.as_bytes()[first..]), Some(ASK.len()));
        assert_eq!(cut(&ASK.as_bytes()[..ASK.len() - 1]), None);
    }

    #[test]
    fn rubbish_is_no_request() {
        for bad in ["", "hello", "MESSAGE\r\n\r\n", "MESSAGE sip:a SIP/2.0\r\nVia: x\r\n\r\n"] {
            assert_eq!(Request::read(bad.as_bytes()), Err(()), "{bad}");
        }
        let short = ASK.replace("Content-Length: 5", "Content-Length: 500");
        assert_eq!(Request::read(short.as_bytes()), Err(()));
    }
}
