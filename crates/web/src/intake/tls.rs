//! TLS: for devices a certificate chain and its key from two PEM files; for other people's servers whom to trust.

use std::{io, path::Path, sync::Arc, time::Duration};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
    server::TlsStream,
};

/// A handshake that takes longer is none.
const HANDSHAKE: Duration = Duration::from_secs(10);

fn wrong(what: &Path, e: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", what.display()))
}

/// Who may vouch for a server this program connects to: those of a PEM file, or else those the machine trusts.
///
/// # Errors
/// When the file cannot be read or holds no certificate.
pub fn trust(ca: Option<&Path>) -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => {
            let all: Vec<_> = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect)
                .map_err(|e| wrong(path, &e))?;
            if roots.add_parsable_certificates(all).0 == 0 {
                return Err(wrong(path, &"no certificate"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

/// What proves the server.
///
/// # Errors
/// When a file cannot be read or the two do not fit.
pub fn acceptor(chain: &Path, key: &Path) -> io::Result<TlsAcceptor> {
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(|e| wrong(chain, &e))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|e| wrong(key, &e))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(super) async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await?
}
