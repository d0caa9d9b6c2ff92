#include "certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>

#include "base/assert.h"

namespace weir::runtime {
namespace {

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  WEIR_ASSERT(extension != nullptr);
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::string directory, const std::string& name)
    : directory_(std::move(directory)),
      ca_file_(directory_ + "/" + name + ".pem"),
      key_(EVP_EC_gen("P-256")) {
  certificate_ = sign(key_.get(), name, {}, true);
  write(ca_file_, certificate_.get(), nullptr);
}

CertificateAuthority::Certificate CertificateAuthority::sign(EVP_PKEY* key, const std::string& common_name,
                                                             const std::string& host, bool is_ca) {
  Certificate made(::X509_new());
  X509* const certificate = made.get();
  ::X509_set_version(certificate, X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), ++serial_);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -3600);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate), 3600);
  ::X509_set_pubkey(certificate, key);
  X509_NAME* const subject = ::X509_get_subject_name(certificate);
  const auto add = [subject](const char* field, const std::string& value) {
    ::X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  };
  add("O", "Weir");
  add("CN", common_name);
  X509* const issuer = is_ca ? certificate : certificate_.get();
  ::X509_set_issuer_name(certificate, ::X509_get_subject_name(issuer));
  add_extension(certificate, issuer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!host.empty()) {
    const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
    add_extension(certificate, issuer, NID_subject_alt_name, (numeric ? "IP:" : "DNS:") + host);
  }
  WEIR_ASSERT(::X509_sign(certificate, key_.get(), ::EVP_sha256()) > 0);
  return made;
}

CertificateAuthority::Files CertificateAuthority::issue(const std::string& common_name,
                                                        const std::string& host) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = sign(key.get(), common_name, host, false);
  const std::string stem = directory_ + "/" + std::to_string(serial_);
  Files files{stem + ".crt", stem + ".key"};
  write(files.certificate, certificate.get(), nullptr);
  write(files.key, nullptr, key.get());
  return files;
}

void CertificateAuthority::write(const std::string& path, X509* certificate, EVP_PKEY* key) const {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  WEIR_ASSERT(file != nullptr);
  if (certificate != nullptr) ::PEM_write_X509(file, certificate);
  if (key != nullptr) ::PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

}  // namespace weir::runtime
