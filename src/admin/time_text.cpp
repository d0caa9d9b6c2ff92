// Times as people write them.
#include <charconv>
#include <chrono>
#include <cmath>

#include "admin/message_filter.h"

namespace weir::admin {
namespace {

constexpr std::uint64_t ms_per_second = 1'000;

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool digits(std::size_t count, unsigned max, unsigned& out) {
    if (text_.size() < count) return false;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + count, out);
    if (error != std::errc() || end != text_.data() + count || out > max) return false;
    text_.remove_prefix(count);
    return true;
  }
  bool take(std::string_view one_of) {
    if (text_.empty() || one_of.find(text_.front()) == std::string_view::npos) return false;
    last_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  // The first three digits count.
  unsigned fraction_ms() {
    unsigned ms = 0;
    std::size_t count = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1), ++count) {
      if (count < 3) ms = ms * 10 + static_cast<unsigned>(text_.front() - '0');
    }
    for (; count < 3; ++count) ms *= 10;
    return ms;
  }
  bool done() const { return text_.empty(); }
  char last() const { return last_; }

 private:
  std::string_view text_;
  char last_ = 0;
};

}  // namespace

Result<std::uint64_t> read_time_ms(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::invalid_argument,
                "not a time: '" + std::string(text) +
                    "'; Unix milliseconds or a time such as 2026-01-31T12:00:00Z are wanted");
  };
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  TimeReader in(text);
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  const bool whole = in.digits(4, 9'999, year) && in.take("-") && in.digits(2, 12, month) && in.take("-") &&
                     in.digits(2, 31, day) && in.take("Tt ") && in.digits(2, 23, hour) && in.take(":") &&
                     in.digits(2, 59, minute) && in.take(":") && in.digits(2, 60, second);
  if (!whole) return wrong();
  if (in.take(".")) ms = in.fraction_ms();
  std::int64_t offset_minutes = 0;
  if (!in.take("Zz")) {
    unsigned hours = 0, minutes = 0;
    if (!in.take("+-")) return wrong();
    const bool east = in.last() == '+';
    if (!in.digits(2, 23, hours) || !in.take(":") || !in.digits(2, 59, minutes)) return wrong();
    offset_minutes = (east ? 1 : -1) * static_cast<std::int64_t>(hours * 60 + minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!in.done() || !date.ok()) return wrong();
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds =
      ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + static_cast<std::int64_t>(second);
  if (seconds < 0) return wrong();
  return static_cast<std::uint64_t>(seconds) * ms_per_second + ms;
}

Result<std::uint64_t> read_time_ms(const boost::json::value& value) {
  if (value.is_string()) return read_time_ms(std::string_view(value.get_string()));
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  if (value.is_uint64()) return value.get_uint64();
  return fail(ErrorCode::invalid_argument, "not a time: Unix milliseconds or a text are wanted");
}

}  // namespace weir::admin
