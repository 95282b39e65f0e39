// Random calls of every kind on two keyspaces, against maps of what they should hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "src/base/number_text.h"
#include "storage/keyspace.h"
#include "tests/storage/keyspace_fixture.h"

namespace aeris::storage {
namespace {

using testing::kNow;
using testing::Pattern;
using testing::Shared;

struct ModelValue {
  std::string text;
  Encoding encoding = Encoding::kRaw;
  UnixMs deadline = kNoDeadline;
};

Encoding EncodingOf(std::string_view text, bool find_integer) {
  if (find_integer && ParseInt64(text)) return Encoding::kInt;
  return text.size() <= 44 ? Encoding::kEmbstr : Encoding::kRaw;
}

class Model {
 public:
  explicit Model(std::uint64_t seed) : engine_(seed), shared_(seed) {
    for (auto& keyspace : keyspaces_) keyspace = std::make_unique<Keyspace>(shared_.context);
  }

  void Step() {
    if (engine_() % 4 == 0) now_ += static_cast<UnixMs>(engine_() % 200);
    if (engine_() % 2000 == 0) now_ += 600'000;
    if (engine_() % 1000 == 0) now_ += static_cast<UnixMs>(engine_() % (60 * kDay));
    which_ = engine_() % 2;
    switch (engine_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        return SetString();
      case 4:
        return SetInteger();
      case 5:
      case 6:
      case 7:
        return ResizeString();
      case 8:
      case 9:
        return SetDeadline();
      case 10:
        return Delete();
      case 11:
        return engine_() % 2 == 0 ? Copy() : Move();
      case 12:
        return SetFromItself();
      case 13:
        return RandomEntry();
      case 14:
        return ExpireDue();
      case 15:
        return ClockOrMaintain();
    }
  }

  // Every key is found as the model has it, expired ones are not, and a scan gives the same set.
  void CheckAll() {
    for (which_ = 0; which_ < 2; ++which_) {
      keyspace().CheckInvariants();
      std::map<std::string, std::string> scanned;
      std::uint64_t cursor = 0;
      do {
        cursor = keyspace().Scan(cursor, 3, now_, [&](EntryView entry) {
          IntegerText scratch;
          ASSERT_TRUE(
              scanned.emplace(std::string(entry.key()), std::string(entry.Text(scratch))).second);
        });
      } while (cursor != 0);
      std::map<std::string, std::string> expected;
      for (const auto& [key, value] : model()) {
        if (Live(value)) expected.emplace(key, value.text);
      }
      ASSERT_EQ(scanned, expected);
      for (int i = 0; i < kKeys; ++i) CheckKey(KeyOf(static_cast<std::uint64_t>(i)));
      ASSERT_EQ(keyspace().size(), expected.size());
      keyspace().CheckInvariants();
    }
  }

  void Flush() {
    keyspaces_[0] = std::make_unique<Keyspace>(shared_.context);
    models_[0].clear();
  }

 private:
  static constexpr int kKeys = 300;
  static constexpr std::uint64_t kDay = 24 * 3600 * 1000;

  Keyspace& keyspace() { return *keyspaces_[which_]; }
  std::map<std::string, ModelValue>& model() { return models_[which_]; }
  bool Live(const ModelValue& value) const {
    return value.deadline == kNoDeadline || now_ <= value.deadline;
  }

  static std::string KeyOf(std::uint64_t number) {
    switch (number % 20) {
      case 0:
        return std::string(number, 'x');
      case 1:
        return "long:" + Pattern(200 + number, number);
      case 2:
        return number < 100 ? "huge:" + Pattern(2048 + number, number)
                            : "not so huge:" + Pattern(2000 + number / 50, number);
      default:
        return "key:" + std::to_string(number);
    }
  }
  std::string AnyKey() { return KeyOf(engine_() % kKeys); }
  HashedKey Hashed(const std::string& key) { return keyspace().Hash(key); }

  std::size_t AnySize() {
    constexpr std::size_t kEdges[] = {0,   1,   43,  44,   45,   126,  127,  128,  255,
                                      256, 257, 511, 2047, 2048, 2049, 4096, 4097, 65536};
    switch (engine_() % 4) {
      case 0:
        return kEdges[engine_() % std::size(kEdges)];
      case 1:
        return engine_() % 5000;
      default:
        return engine_() % 150;
    }
  }
  std::int64_t AnyInteger() { return static_cast<std::int64_t>(engine_()) >> (engine_() % 64); }
  std::string AnyValue() {
    return engine_() % 3 == 0 ? std::to_string(AnyInteger()) : Pattern(AnySize(), engine_() % 1000);
  }
  UnixMs AnyDeadline() {
    switch (engine_() % 8) {
      case 0:
      case 1:
      case 2:
        return kNoDeadline;
      case 3:
        return now_ - 1 - static_cast<UnixMs>(engine_() % 1000);
      case 4:
        return engine_() % 2 == 0 ? UnixMs{1} << (40 + engine_() % 23)
                                  : now_ + static_cast<UnixMs>(engine_() % (100 * kDay));
      default:
        return now_ + static_cast<UnixMs>(engine_() % 5000);
    }
  }
  // What the model holds for the key now, after lazy expiry; null when nothing.
  ModelValue* Current(const std::string& key) {
    const auto found = model().find(key);
    if (found == model().end()) return nullptr;
    if (Live(found->second)) return &found->second;
    model().erase(found);
    return nullptr;
  }

  static StoreResult ResultFor(const ModelValue* value) {
    return value != nullptr ? StoreResult::kStored : StoreResult::kNoKey;
  }

  void SetString() {
    const std::string key = AnyKey(), value = AnyValue();
    const Keyspace::SetOptions options{.deadline = AnyDeadline(),
                                       .keep_deadline = engine_() % 4 == 0,
                                       .find_integer = engine_() % 4 != 0};
    ASSERT_EQ(keyspace().SetString(Hashed(key), value, now_, options), StoreResult::kStored);
    const ModelValue* const before = Current(key);
    UnixMs deadline = options.deadline;
    if (options.keep_deadline) deadline = before != nullptr ? before->deadline : kNoDeadline;
    model()[key] = {value, EncodingOf(value, options.find_integer), deadline};
    CheckKey(key);
  }

  // The value is a view of an entry of the same keyspace, perhaps of the key itself.
  void SetFromItself() {
    const std::string key = AnyKey(), other = engine_() % 2 == 0 ? key : AnyKey();
    const EntryView source = keyspace().Find(Hashed(other), now_, kPeek);
    const ModelValue* const from = Current(other);
    ASSERT_EQ(static_cast<bool>(source), from != nullptr);
    if (from == nullptr || source.is_integer()) return;
    const std::size_t skip = from->text.empty() ? 0 : engine_() % (from->text.size() + 1);
    const std::string text = from->text.substr(skip);
    ASSERT_EQ(keyspace().SetString(Hashed(key), source.text().substr(skip), now_, {}),
              StoreResult::kStored);
    model()[key] = {text, EncodingOf(text, true), kNoDeadline};
    CheckKey(key);
  }

  void SetInteger() {
    const std::string key = AnyKey();
    const std::int64_t integer = AnyInteger();
    ASSERT_EQ(keyspace().SetInteger(Hashed(key), integer, now_), StoreResult::kStored);
    const ModelValue* const before = Current(key);
    const UnixMs deadline = before != nullptr ? before->deadline : kNoDeadline;
    model()[key] = {std::to_string(integer), Encoding::kInt, deadline};
    CheckKey(key);
  }

  void ResizeString() {
    const std::string key = AnyKey();
    const ModelValue* const before = Current(key);
    ModelValue after = before != nullptr ? *before : ModelValue{};
    const std::size_t size = engine_() % 2 == 0 ? after.text.size() + engine_() % 40 : AnySize();
    const std::span<char> text = keyspace().ResizeString(Hashed(key), size, now_).value();
    after.text.resize(size);
    after.encoding = Encoding::kRaw;
    ASSERT_EQ(std::string_view(text.data(), text.size()), after.text);
    if (size > 0) {
      const std::size_t at = engine_() % size;
      text[at] = after.text[at] = static_cast<char>(engine_() & 0xff);
    }
    model()[key] = after;
    CheckKey(key);
  }

  void SetDeadline() {
    const std::string key = AnyKey();
    const UnixMs deadline = AnyDeadline();
    ModelValue* const value = Current(key);
    ASSERT_EQ(keyspace().SetDeadline(Hashed(key), deadline, now_), ResultFor(value));
    if (value != nullptr) value->deadline = deadline;
    CheckKey(key);
  }

  void Delete() {
    const std::string key = AnyKey();
    ASSERT_EQ(keyspace().Delete(Hashed(key), now_), Current(key) != nullptr);
    model().erase(key);
    CheckKey(key);
  }

  void Copy() {
    const std::string from = AnyKey(), to = engine_() % 16 == 0 ? from : AnyKey();
    const std::size_t target = engine_() % 2;
    const ModelValue* const value = Current(from);
    ASSERT_EQ(keyspace().Copy(Hashed(from), *keyspaces_[target], Hashed(to), now_),
              ResultFor(value));
    if (value != nullptr) models_[target][to] = ModelValue(*value);
    CheckKey(from);
    which_ = target;
    CheckKey(to);
  }

  void Move() {
    const std::string from = AnyKey(), to = AnyKey();
    const std::size_t target = engine_() % 2, source = which_;
    if (source == target && from == to) return;
    const ModelValue* const value = Current(from);
    ASSERT_EQ(keyspace().Move(Hashed(from), *keyspaces_[target], Hashed(to), now_),
              ResultFor(value));
    if (value != nullptr) {
      models_[target][to] = ModelValue(*value);
      models_[source].erase(from);
    }
    CheckKey(from);
    which_ = target;
    CheckKey(to);
  }

  void RandomEntry() {
    const EntryView entry = keyspace().RandomEntry(now_);
    if (!entry) {
      for (const auto& [key, value] : model()) ASSERT_FALSE(Live(value));
      return;
    }
    const std::string key(entry.key());
    ASSERT_NE(Current(key), nullptr);
    CheckKey(key);
    // A key that is named by its own entry.
    if (engine_() % 4 == 0) {
      ASSERT_TRUE(keyspace().Delete(
          keyspace().Hash(keyspace().Find(Hashed(key), now_, kPeek).key()), now_));
      model().erase(key);
    }
  }

  void ExpireDue() {
    const std::size_t keys_max = engine_() % 4 == 0 ? 2 : 1000;
    const Keyspace::ExpireResult result = keyspace().ExpireDue(now_, keys_max);
    ASSERT_LE(result.expired, keys_max);
    if (result.more) return;
    // What is left may be late by a tick of the wheel.
    std::size_t left = 0;
    for (const auto& [key, value] : model()) {
      left += value.deadline == kNoDeadline || value.deadline + 200 >= now_;
    }
    std::size_t live = 0;
    for (const auto& [key, value] : model()) live += Live(value);
    ASSERT_LE(keyspace().size(), left);
    ASSERT_GE(keyspace().size(), live);
  }

  void ClockOrMaintain() {
    static_cast<void>(keyspace().Maintain(engine_() % 8));
    const std::string key = AnyKey();
    const auto clock = static_cast<std::uint16_t>(engine_());
    keyspace().SetAccessClock(Hashed(key), clock, now_);
    const EntryView entry = keyspace().Find(Hashed(key), now_, kPeek);
    ASSERT_EQ(static_cast<bool>(entry), Current(key) != nullptr);
    if (entry) {
      ASSERT_EQ(entry.access_clock(), clock);
    }
  }

  void CheckKey(const std::string& key) {
    const ModelValue* const value = Current(key);
    const EntryView entry = keyspace().Find(Hashed(key), now_, kPeek);
    ASSERT_EQ(static_cast<bool>(entry), value != nullptr) << key;
    if (value == nullptr) return;
    IntegerText scratch;
    ASSERT_EQ(entry.key(), key);
    ASSERT_EQ(entry.Text(scratch), value->text);
    ASSERT_EQ(entry.text_size(), value->text.size());
    ASSERT_EQ(entry.encoding(), value->encoding) << value->text;
    ASSERT_EQ(entry.deadline(), value->deadline);
    ASSERT_GE(keyspace().MemoryUsage(entry),
              key.size() + (entry.is_integer() ? 1 : entry.text_size()));
  }

  std::mt19937_64 engine_;
  Shared shared_;
  UnixMs now_ = kNow;
  std::size_t which_ = 0;
  std::unique_ptr<Keyspace> keyspaces_[2];
  std::map<std::string, ModelValue> models_[2];
};

TEST(KeyspaceModel, BehavesLikeMapOfValuesAndDeadlines) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Model model(seed);
    for (int step = 0; step < 6'000; ++step) {
      model.Step();
      if (HasFatalFailure()) FAIL() << "at step " << step;
      if (step % 500 == 0) model.CheckAll();
      if (step == 3'000) model.Flush();
    }
    model.CheckAll();
  }
}

}  // namespace
}  // namespace aeris::storage
