#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>

#include <fcntl.h>
#include <idn-free.h>
#include <idna.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "protocol/tls.hpp"
#include "protocol/tls_errors.hpp"

namespace parley {

std::string openssl_words(std::string_view what) {
  std::string text{what};
  const auto error = ERR_get_error();
  ERR_clear_error();
  if (const char* reason = ERR_reason_error_string(error))
    text.append(": ").append(reason);
  else if (ERR_SYSTEM_ERROR(error))
    text.append(": ").append(std::strerror(ERR_GET_REASON(error)));
  return text;
}

namespace {

template <class T, void (*Free)(T*)>
struct free_by {
  void operator()(T* x) const noexcept { Free(x); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, free_by<EVP_PKEY, EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, free_by<X509, X509_free>>;
using names_ptr =
  std::unique_ptr<GENERAL_NAMES, free_by<GENERAL_NAMES, GENERAL_NAMES_free>>;

constexpr long one_day = 24 * 60 * 60;
constexpr long ten_years = 3652 * one_day;
constexpr size_t serial_bytes = 16;
/// RFC 5280, ub-common-name.
constexpr size_t common_name_max = 64;

bool add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  auto* name = GENERAL_NAME_new();
  if (!name || !value) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) > 0)
    return true;
  GENERAL_NAME_free(name);
  return false;
}

/// A host name, or an address if it reads as one.
bool add_host(GENERAL_NAMES* names, const std::string& host) {
  if (auto* address = a2i_IPADDRESS(host.c_str()))
    return add_name(names, GEN_IPADD, address);
  ERR_clear_error();
  auto* text = ASN1_IA5STRING_new();
  if (text)
    ASN1_STRING_set(text, host.data(), static_cast<int>(host.size()));
  return add_name(names, GEN_DNS, text);
}

bool add_extension(X509* certificate, int what, const char* value) {
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
  const bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509* certificate) {
  unsigned char octets[serial_bytes];
  if (RAND_bytes(octets, sizeof octets) != 1)
    return false;
  // Positive, and not shorter by a leading zero.
  octets[0] = static_cast<unsigned char>((octets[0] & 0x7f) | 0x40);
  auto* number = BN_bin2bn(octets, sizeof octets, nullptr);
  const bool set =
    number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  return set;
}

certificate_ptr make_certificate(EVP_PKEY* key, const std::string& host) {
  certificate_ptr certificate{X509_new()};
  auto* x = certificate.get();
  if (!x || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x)
    || !X509_gmtime_adj(X509_getm_notBefore(x), -one_day)
    || !X509_gmtime_adj(X509_getm_notAfter(x), ten_years)
    || X509_set_pubkey(x, key) != 1)
    return nullptr;
  const std::string shown = host.size() <= common_name_max ? host : "parley";
  auto* name = X509_get_subject_name(x);
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(shown.data()),
        static_cast<int>(shown.size()), -1, 0)
      != 1
    || X509_set_issuer_name(x, name) != 1)
    return nullptr;
  const names_ptr names{sk_GENERAL_NAME_new_null()};
  if (!names || !add_host(names.get(), host))
    return nullptr;
  for (const std::string loopback : {"localhost", "127.0.0.1", "::1"})
    if (loopback != host && !add_host(names.get(), loopback))
      return nullptr;
  if (X509_add1_ext_i2d(x, NID_subject_alt_name, names.get(), 0, 0) != 1
    || !add_extension(x, NID_basic_constraints, "critical,CA:FALSE")
    || !add_extension(x, NID_key_usage, "critical,digitalSignature")
    || !add_extension(x, NID_ext_key_usage, "serverAuth")
    || X509_sign(x, key, EVP_sha256()) == 0)
    return nullptr;
  return certificate;
}

result<void> system_failure(const std::string& file) {
  return fail(errc::store_unavailable,
    "the file " + file + " cannot be written: " + std::strerror(errno));
}

/// Whole or not at all, for its owner alone if `mode` says so.
result<void> write_file(
  const std::string& file, std::string_view text, mode_t mode) {
  const auto fresh = file + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(
    fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0)
    return system_failure(fresh);
  bool written = true;
  while (written && !text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    written = n > 0 || (n < 0 && errno == EINTR);
    if (n > 0)
      text.remove_prefix(static_cast<size_t>(n));
  }
  written = written && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!written || ::rename(fresh.c_str(), file.c_str()) != 0) {
    auto failed = system_failure(file);
    ::unlink(fresh.c_str());
    return failed;
  }
  auto folder = std::filesystem::path{file}.parent_path();
  if (folder.empty())
    folder = ".";
  const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (folder_fd >= 0) {
    ::fsync(folder_fd);
    ::close(folder_fd);
  }
  return {};
}

/// PEM as `write` prints it.
template <class Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, free_by<BIO, BIO_free_all>> bio{
    BIO_new(BIO_s_mem())};
  if (!bio || write(bio.get()) != 1)
    return {};
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

} // namespace

result<void> make_self_signed(const std::string& certificate_file,
  const std::string& key_file, std::string_view domain) {
  // Certificates hold host names as DNS does (RFC 5280, 7.2).
  const std::string terminated{domain};
  char* ascii = nullptr;
  if (domain.empty() || domain.find('\0') != domain.npos
    || idna_to_ascii_8z(terminated.c_str(), &ascii, 0) != IDNA_SUCCESS)
    return fail(errc::bad_request, "the domain is no host name");
  const std::string host{ascii};
  idn_free(ascii);
  ERR_clear_error();
  const key_ptr key{EVP_EC_gen("P-256")};
  if (!key)
    return fail(errc::store_unavailable, openssl_words("a key"));
  const auto certificate = make_certificate(key.get(), host);
  if (!certificate)
    return fail(errc::store_unavailable, openssl_words("a certificate"));
  const auto key_text = to_pem([&](BIO* to) {
    return PEM_write_bio_PrivateKey(
      to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  const auto certificate_text =
    to_pem([&](BIO* to) { return PEM_write_bio_X509(to, certificate.get()); });
  if (key_text.empty() || certificate_text.empty())
    return fail(errc::store_unavailable, openssl_words("a certificate"));
  constexpr mode_t owner_only = 0600;
  constexpr mode_t readable = 0644;
  if (auto written = write_file(key_file, key_text, owner_only); !written)
    return written;
  return write_file(certificate_file, certificate_text, readable);
}

} // namespace parley
