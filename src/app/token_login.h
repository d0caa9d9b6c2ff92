// What it is: logins with access tokens, as the settings want them.
#pragma once

#include <memory>

#include "app/settings.h"
#include "auth/oauth2.h"
#include "base/error.h"

namespace weir::app {

// Null: no backend of auth.backends takes tokens. config: the key set can't be read.
Result<std::unique_ptr<auth::Oauth2>> make_token_login(const Settings& settings);
// Reads oauth2.jwks_file. config: the old keys stay.
Status read_token_keys(auth::Oauth2& tokens, const Settings& settings);

}  // namespace weir::app
