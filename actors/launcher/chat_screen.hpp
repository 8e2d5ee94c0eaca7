#pragma once

#include <functional>
#include <memory>
#include <string>

// Asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

#include <boost/asio/io_context.hpp>

namespace parley::chat {

/// Where a person reads and types.
class screen {
public:
  /// What the person does.
  struct listener {
    std::function<void(const std::string& line)> typed;
    /// A character of a line that is not finished: the line so far.
    std::function<void(const std::string& line)> typing;
    /// The end of the input.
    std::function<void()> ended;
  };

  virtual ~screen() = default;

  /// From now on there is a prompt, and input is read.
  virtual void open(listener l) = 0;

  /// No prompt any more, and no input is read; `show` still works.
  virtual void close() = 0;

  /// Shows a line, or several, above the one being typed.
  virtual void show(const std::string& text) = 0;

  /// Replaces what was shown last; false if that cannot be done.
  virtual bool replace_last(const std::string& text) = 0;

  /// `text` without the blank that follows it.
  virtual void set_prompt(const std::string& text) = 0;

  /// Typed lines of earlier sessions; and keeps those of this one.
  virtual void load_history(const std::string& file) = 0;
  virtual void save_history(const std::string& file) = 0;

  /// Whether colours and the like are wanted (https://no-color.org).
  virtual bool has_colours() const noexcept = 0;
};

/// With line editing, on the terminal that is standard input and output. One a
/// process.
std::unique_ptr<screen> make_terminal(boost::asio::io_context& io);

/// Line by line, without a prompt.
std::unique_ptr<screen> make_pipe(boost::asio::io_context& io);

} // namespace parley::chat
