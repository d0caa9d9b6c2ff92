#include "app/setting_value.h"

#include <fmt/format.h>

#include <charconv>

#include "app/byte_size.h"
#include "app/listen_address.h"
#include "app/toml_file.h"
#include "base/assert.h"

namespace weir::app {
namespace {

using Kind = WrittenValue::Kind;
using T = SettingType;

template <typename... Args>
std::unexpected<Error> refuse(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::invalid_argument, fmt::format(format, std::forward<Args>(args)...));
}

std::unexpected<Error> refuse_written(const SettingSpec& spec, const WrittenValue& written) {
  return refuse("\"{}\" is not allowed; allowed is: {}", written.text, describe_type(spec));
}

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool in_range(const SettingSpec& spec, std::uint64_t value) {
  return value >= spec.least && value <= spec.most;
}

// Which kinds of TOML values each type of setting takes; a value without a kind fits all.
bool kind_fits(T type, Kind kind) {
  if (kind == Kind::untyped) return true;
  switch (type) {
    case T::boolean: return kind == Kind::boolean;
    case T::integer: return kind == Kind::integer;
    case T::bytes:
    case T::duration:
    case T::address: return kind == Kind::integer || kind == Kind::string;
    case T::bytes_or_fraction: return kind == Kind::integer || kind == Kind::floating || kind == Kind::string;
    case T::fraction: return kind == Kind::integer || kind == Kind::floating;
    case T::string:
    case T::choice:
    case T::path: return kind == Kind::string;
    case T::string_list: return kind == Kind::list;
  }
  return false;
}

// "10s" in units of "ms" is 10000; a part of a unit is refused.
bool parse_duration(std::string_view text, std::string_view unit, std::uint64_t& out) {
  if (parse_number(text, out)) return true;
  struct Suffix {
    std::string_view name;
    std::uint64_t ms;
  };
  constexpr Suffix suffixes[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  const std::uint64_t unit_ms = unit == "s" ? 1000 : 1;
  for (const Suffix& suffix : suffixes) {
    if (!text.ends_with(suffix.name)) continue;
    std::uint64_t number = 0;
    if (!parse_number(text.substr(0, text.size() - suffix.name.size()), number)) continue;
    if (number > UINT64_MAX / suffix.ms || number * suffix.ms % unit_ms != 0) return false;
    out = number * suffix.ms / unit_ms;
    return true;
  }
  return false;
}

Status set_bytes_or_fraction(BytesOrFraction& slot, const SettingSpec& spec, const WrittenValue& written) {
  if (const auto bytes = parse_bytes(written.text)) {
    if (!in_range(spec, *bytes)) {
      return refuse("\"{}\" is too {}; allowed is: {}, at least {}", written.text,
                    *bytes < spec.least ? "little" : "much", describe_type(spec), show_bytes(spec.least));
    }
    slot = {*bytes, 0};
    return {};
  }
  double fraction = 0;
  if (!parse_number(written.text, fraction) || !(fraction > 0 && fraction < 1))
    return refuse_written(spec, written);
  slot = {0, fraction};
  return {};
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (true) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

struct Setter {
  Settings& settings;
  const SettingSpec& spec;
  const WrittenValue& written;

  Status operator()(bool Settings::* slot) const {
    if (written.text != "true" && written.text != "false") return refuse_written(spec, written);
    settings.*slot = written.text == "true";
    return {};
  }
  Status operator()(std::uint64_t Settings::* slot) const {
    std::uint64_t value = 0;
    if (spec.type == T::bytes) {
      const auto bytes = parse_bytes(written.text);
      if (!bytes) return refuse_written(spec, written);
      value = *bytes;
    } else if (spec.type == T::duration) {
      if (!parse_duration(written.text, spec.unit, value)) return refuse_written(spec, written);
    } else if (!parse_number(written.text, value)) {
      return refuse_written(spec, written);
    }
    if (!in_range(spec, value)) return refuse_written(spec, written);
    settings.*slot = value;
    return {};
  }
  Status operator()(double Settings::* slot) const {
    double value = 0;
    if (!parse_number(written.text, value) || !(value >= 0 && value <= 1))
      return refuse_written(spec, written);
    settings.*slot = value;
    return {};
  }
  Status operator()(BytesOrFraction Settings::* slot) const {
    return set_bytes_or_fraction(settings.*slot, spec, written);
  }
  Status operator()(std::string Settings::* slot) const {
    if (spec.type == T::choice && !is_choice(spec.choices, written.text))
      return refuse_written(spec, written);
    if (spec.type != T::address) {
      settings.*slot = written.text;
      return {};
    }
    auto address = parse_listen_address(written.text);
    if (!address) return std::unexpected(std::move(address).error());
    if (!address->empty() && !spec.built) {
      return refuse("this build doesn't serve {} yet", spec.name.substr(spec.name.rfind('.') + 1));
    }
    settings.*slot = std::move(*address);
    return {};
  }
  Status operator()(std::vector<std::string> Settings::* slot) const {
    if (written.kind == Kind::list) {
      settings.*slot = written.items;
      return {};
    }
    auto items = parse_list(written.text);
    if (!items) return std::unexpected(std::move(items).error());
    settings.*slot = std::move(*items);
    return {};
  }
};

}  // namespace

Status set_value(Settings& settings, const SettingSpec& spec, const WrittenValue& written) {
  if (!kind_fits(spec.type, written.kind)) {
    if (written.text.empty())
      return refuse("this type of value is not allowed; allowed is: {}", describe_type(spec));
    return refuse_written(spec, written);
  }
  return std::visit(Setter{settings, spec, written}, spec.slot);
}

Settings default_settings() {
  Settings settings;
  for (const SettingSpec& spec : settings_table()) {
    const WrittenValue written{Kind::untyped, std::string(spec.default_text), {}};
    const Status status = set_value(settings, spec, written);
    WEIR_ASSERT(status.has_value());
  }
  return settings;
}

Result<std::vector<std::string>> parse_list(std::string_view text) {
  if (text.starts_with('[')) return parse_toml_list(text);
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    items.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return items;
}

}  // namespace weir::app
