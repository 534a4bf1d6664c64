//! Whom a server's certificate must come from: the authorities that this machine trusts, as every other program on it.
//!
//! What could go wrong is a password that goes to somebody else. So there is no way around the check of the certificate and of
//! the host's name, and a server that knows no TLS is refused before anything is said (the library does so).

use mysql_async::SslOpts;
use rustls::RootCertStore;

use super::SqlError;

/// TLS with the authorities of this machine: those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, or else the system's own.
pub(super) fn options() -> Result<SslOpts, SqlError> {
    let found = rustls_native_certs::load_native_certs();
    // One odd certificate among a hundred is left out; the library would refuse all of them.
    let is_readable = |der: &rustls::pki_types::CertificateDer<'_>| {
        RootCertStore::empty().add(der.clone().into_owned()).is_ok()
    };
    let trusted: Vec<_> =
        found.certs.into_iter().filter(is_readable).map(|der| der.to_vec().into()).collect();
    if trusted.is_empty() {
        let problem = found.errors.first().map_or("the system has none".to_owned(), ToString::to_string);
        return Err(SqlError::NobodyToTrust { problem });
    }
    Ok(SslOpts::default().with_root_certs(trusted).with_disable_built_in_roots(true))
}
