#include "protocol/common/certificate_login.h"

#include <gtest/gtest.h>

namespace weir {

TEST(CertificateLogin, a_certificate_stands_for_its_subject_or_its_common_name) {
  const auto common = [](std::string_view subject) {
    return user_of_certificate(CertificateLogin::common_name, subject);
  };
  EXPECT_EQ(user_of_certificate(CertificateLogin::distinguished_name, "CN=shop,O=Example"),
            "CN=shop,O=Example");
  EXPECT_EQ(common("CN=shop,O=Example"), "shop");
  EXPECT_EQ(common("O=Example,CN=shop"), "shop");
  EXPECT_EQ(common("OU=a+CN=shop,O=Example"), "shop");
  EXPECT_EQ(common("CN=one,CN=two"), "one,two");
  EXPECT_EQ(common(R"(CN=a\,b\+c\\,O=x)"), R"(a,b+c\)");
  EXPECT_EQ(common(R"(CN=\C3\BC)"), "ü");
  EXPECT_EQ(common(R"(O=a\,CN=no)"), "");
  EXPECT_EQ(common("O=Example"), "");
  EXPECT_EQ(common(R"(CN=end\)"), R"(end\)");
  EXPECT_EQ(common(""), "");
}

}  // namespace weir
