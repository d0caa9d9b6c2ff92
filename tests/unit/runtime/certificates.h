// What it is: certificates for tests, made when they are needed: a CA, and what it signs, as PEM files.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace weir::runtime {

class CertificateAuthority {
 public:
  // Files go to `directory`.
  CertificateAuthority(std::string directory, const std::string& name);

  struct Files {
    std::string certificate;
    std::string key;
  };
  const std::string& ca_file() const { return ca_file_; }
  // For a host or a person; `host` may be a name or an address, and may be empty.
  Files issue(const std::string& common_name, const std::string& host = {});

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { ::X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  Certificate sign(EVP_PKEY* key, const std::string& common_name, const std::string& host, bool is_ca);
  void write(const std::string& path, X509* certificate, EVP_PKEY* key) const;

  std::string directory_;
  std::string ca_file_;
  long serial_ = 0;
  Key key_;
  Certificate certificate_;
};

}  // namespace weir::runtime
