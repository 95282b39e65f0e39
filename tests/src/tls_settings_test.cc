#include "src/tls_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/tls_files.h"

namespace aeris {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TlsSettingsTest : public ::testing::Test {
 protected:
  TlsSettingsTest() {
    config.tls_port = 6380;
    config.tls_cert_file = files.path("server.crt");
    config.tls_key_file = files.path("server.key");
    config.tls_ca_cert_file = files.path("ca.crt");
  }
  // Why the settings cannot be made; empty when they can.
  std::string Fault() const {
    const auto made = MakeTlsSettings(config);
    return made ? "" : made.error();
  }

  testing::TlsFiles files;
  Config config;
};

TEST_F(TlsSettingsTest, AreMadeOfACertificateItsKeyAndAnAuthority) { EXPECT_EQ(Fault(), ""); }

TEST_F(TlsSettingsTest, WantCertificateKeyAndAuthority) {
  const Config whole = config;
  config.tls_cert_file.clear();
  EXPECT_EQ(Fault(), "No tls-cert-file configured!");
  config = whole;
  config.tls_key_file.clear();
  EXPECT_EQ(Fault(), "No tls-key-file configured!");
  config = whole;
  config.tls_ca_cert_file.clear();
  EXPECT_THAT(Fault(), HasSubstr("Either tls-ca-cert-file or tls-ca-cert-dir must be specified"));
  config.tls_auth_clients = TlsAuthClients::kOptional;
  EXPECT_THAT(Fault(), HasSubstr("Either tls-ca-cert-file or tls-ca-cert-dir must be specified"));
  config.tls_auth_clients = TlsAuthClients::kNo;
  EXPECT_EQ(Fault(), "");
}

TEST_F(TlsSettingsTest, NameTheFileThatCannotBeUsedAndWhy) {
  const Config whole = config;
  std::ofstream(files.path("broken")) << "-----BEGIN CERTIFICATE-----\nnonsense\n";
  config.tls_cert_file = files.path("none");
  EXPECT_THAT(Fault(), HasSubstr("Failed to load certificate: " + files.path("none") + ": error:"));
  EXPECT_THAT(Fault(), HasSubstr("No such file"));
  config.tls_cert_file = files.path("broken");
  EXPECT_THAT(Fault(), HasSubstr("Failed to load certificate: " + files.path("broken") + ": "));
  config = whole;
  config.tls_key_file = files.path("broken");
  EXPECT_THAT(Fault(), HasSubstr("Failed to load private key: " + files.path("broken") + ": "));
  config.tls_key_file = files.path("client.key");
  EXPECT_THAT(Fault(), HasSubstr("client.key"));
  config = whole;
  config.tls_ca_cert_file = files.path("broken");
  EXPECT_THAT(Fault(), HasSubstr("Failed to configure CA certificate(s) file/directory: " +
                                 files.path("broken")));
  config = whole;
  config.tls_dh_params_file = files.path("none");
  EXPECT_THAT(Fault(), HasSubstr("Failed to read DH params: " + files.path("none")));
  config.tls_dh_params_file = files.path("broken");
  EXPECT_THAT(Fault(), HasSubstr("Failed to read DH params: " + files.path("broken")));
}

TEST_F(TlsSettingsTest, OpenAKeyWithItsPassword) {
  const testing::Key key = testing::MakeKey();
  testing::WriteKey(files.path("locked.key"), *key, "1234");
  testing::WriteCertificate(files.path("locked.crt"), *testing::MakeCertificate(*key));
  config.tls_cert_file = files.path("locked.crt");
  config.tls_key_file = files.path("locked.key");
  EXPECT_THAT(Fault(), HasSubstr("Failed to load private key: " + files.path("locked.key")));
  config.tls_key_file_pass = "wrong";
  EXPECT_THAT(Fault(), HasSubstr("Failed to load private key: " + files.path("locked.key")));
  config.tls_key_file_pass = std::string(5000, 'x');
  EXPECT_THAT(Fault(), HasSubstr("Failed to load private key: " + files.path("locked.key")));
  config.tls_key_file_pass = "1234";
  EXPECT_EQ(Fault(), "");
}

TEST_F(TlsSettingsTest, KnowProtocolsByTheirNames) {
  for (const char* good : {"", "TLSv1.2", "tlsv1.3  TLSv1.2", "TLSv1 TLSv1.1 TLSv1.3"}) {
    config.tls_protocols = good;
    EXPECT_EQ(Fault(), "") << good;
  }
  for (const char* bad : {"SSLv3", "TLSv1.2 TLSv1.4", "TLSv1.2,TLSv1.3"}) {
    config.tls_protocols = bad;
    EXPECT_THAT(Fault(), HasSubstr("Invalid tls-protocols specified.")) << bad;
  }
}

TEST_F(TlsSettingsTest, RefuseCiphersThatNobodyHas) {
  config.tls_ciphers = "DEFAULT:-AES128-SHA256";
  config.tls_ciphersuites = "TLS_AES_128_GCM_SHA256";
  EXPECT_EQ(Fault(), "");
  config.tls_ciphers = "nonsense";
  EXPECT_THAT(Fault(), HasSubstr("Failed to configure ciphers: nonsense: "));
  config.tls_ciphers.clear();
  config.tls_ciphersuites = "nonsense";
  EXPECT_THAT(Fault(), HasSubstr("Failed to configure ciphersuites: nonsense: "));
}

TEST_F(TlsSettingsTest, WarnOfDatesThatClientsWillNotAccept) {
  const auto warning = [&] {
    const auto made = MakeTlsSettings(config);
    return made ? TlsCertificateWarning(**made, config) : made.error();
  };
  EXPECT_THAT(warning(), IsEmpty());
  files.Write("server", {.valid_from = -7200, .valid_until = -3600});
  EXPECT_EQ(warning(),
            "The certificate in tls-cert-file " + files.path("server.crt") + " has expired.");
  files.Write("server", {.valid_from = 3600, .valid_until = 7200});
  EXPECT_EQ(warning(),
            "The certificate in tls-cert-file " + files.path("server.crt") + " is not valid yet.");
}

TEST_F(TlsSettingsTest, SeeAFileThatWasReplacedOrRemoved) {
  const FileIdentities first = FileIdentities::Of(config);
  EXPECT_EQ(first, FileIdentities::Of(config));
  files.Write("other");
  EXPECT_EQ(first, FileIdentities::Of(config));
  std::filesystem::rename(files.path("other.crt"), files.path("server.crt"));
  const FileIdentities second = FileIdentities::Of(config);
  EXPECT_NE(first, second);
  std::filesystem::remove(files.path("server.key"));
  EXPECT_NE(second, FileIdentities::Of(config));
}

}  // namespace
}  // namespace aeris
