//! The certificate authority, the server's certificate and the bearer token: made once, kept in the data folder.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

use crate::chance;

/// Who the server is and who may speak to it.
#[derive(Debug, Clone)]
pub struct Identity {
    pub authority_pem: String,
    certificate_pem: String,
    key_pem: String,
    pub token: String,
}

const FILES: [&str; 4] = ["ca.crt", "server.crt", "server.key", "token"];

impl Identity {
    /// Reads the identity from the folder, or makes one and keeps it there.
    pub fn open(folder: Option<&Path>) -> Result<Self> {
        let Some(folder) = folder else { return Self::make() };
        if let [Ok(authority_pem), Ok(certificate_pem), Ok(key_pem), Ok(token)] = FILES.map(|name| fs::read_to_string(folder.join(name))) {
            return Ok(Self { authority_pem, certificate_pem, key_pem, token: token.trim().to_owned() });
        }
        let made = Self::make()?;
        for (name, text) in FILES.iter().zip([&made.authority_pem, &made.certificate_pem, &made.key_pem, &made.token]) {
            write_private(&folder.join(name), text)?;
        }
        Ok(made)
    }

    fn make() -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "simulated cluster");
        authority.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let names = ["127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let mut server = CertificateParams::new(names.map(str::to_owned).to_vec())?;
        server.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &issuer)?;

        Ok(Self {
            authority_pem: authority_certificate.pem(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            token: chance::token(),
        })
    }

    /// The TLS settings, with the ring provider named: no process-wide default is needed.
    pub fn acceptor(&self) -> Result<tokio_rustls::TlsAcceptor> {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).context("the server's certificate is unreadable")?];
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key_pem.as_bytes()).context("the server's key is unreadable")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::Pkcs8(key))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(tokio_rustls::TlsAcceptor::from(Arc::new(config)))
    }
}

/// Writes a file that only its owner may read, by way of a draft, so that it is whole or absent.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let draft = path.with_added_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file =
        fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft).with_context(|| format!("cannot write {}", draft.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
}
