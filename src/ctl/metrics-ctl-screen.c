/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-screen.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Termios and a few sequences of ECMA-48 instead of ncurses: a picture has to be printed without a screen
 * too, by the same code, all of it is drawn from left to right, and ncurses brings its own signal handlers
 * and its own waiting for keys, where there is a main loop. What is used here every terminal of the last
 * thirty years knows; those that do not are said to be dumb.
 *
 * The terminal is given back whatever ends the process, but for SIGKILL. Signals are handled in the main
 * thread alone, which is the one that writes: so nothing is written behind what gives the screen back. */

#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS 24

/* How long the rest of a key's sequence may take to come; without it, it was the Escape key. */
#define ESCAPE_MSEC 50

/* The alternate screen, no cursor, no new line at the end of one. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
/* Back again; where there is no alternate screen the prompt comes below the picture. */
#define LEAVE "\033[0m\033[?7h\033[?25h\033[9999;1H\n\033[?1049l"

struct _MetricsCtlScreen
{
  MetricsCtlScreenFuncs funcs;
  gpointer user_data;
  GSource *input;   /* (owned) (nullable): keys */
  GSource *events;  /* (owned): what the signal handlers say */
  GSource *escape;  /* (owned) (nullable): waits for the rest of a key */
  GByteArray *keys; /* (owned): what has come and is no whole key yet */
};

/* What ends a process, of its own doing or not. */
static const int fatal_signals[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2,
                                     SIGXCPU, SIGABRT, SIGBUS,  SIGFPE,  SIGILL,  SIGSEGV, SIGTRAP };
static const int other_signals[] = { SIGTSTP, SIGCONT, SIGWINCH };

/* For the signal handlers, which have nothing else. */
static struct
{
  pthread_t thread;            /* the one that writes */
  struct termios modes;        /* as they were */
  struct termios raw;          /* as the screen needs them */
  gboolean has_modes;          /* whether there are any */
  volatile sig_atomic_t taken; /* whether the terminal is taken over now */
  int wake[2];                 /* a pipe: a byte says that the screen has to be drawn */
  struct sigaction old_fatal[G_N_ELEMENTS (fatal_signals)];
  struct sigaction old_other[G_N_ELEMENTS (other_signals)];
} state;

/**
 * metrics_ctl_screen_get_size:
 * @columns: (out): how many cells a line has
 * @rows: (out): how many lines there are
 *
 * Asks for the size of the terminal that is standard output.
 *
 * Returns: %FALSE where it is none, or does not know; it is taken to have 80 cells and 24 lines then
 */
gboolean
metrics_ctl_screen_get_size (guint *columns, guint *rows)
{
  struct winsize size;

  *columns = DEFAULT_COLUMNS;
  *rows = DEFAULT_ROWS;
  if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return FALSE;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return TRUE;
}

/* What follows up to the next rule is called by signal handlers: no memory, no locks. */

static void
write_all (const char *bytes, gsize n_bytes)
{
  while (n_bytes > 0)
    {
      gssize n = write (STDOUT_FILENO, bytes, n_bytes);

      if (n < 0 && errno != EINTR)
        return;
      if (n > 0)
        {
          bytes += n;
          n_bytes -= (gsize) n;
        }
    }
}

static void
take (void)
{
  if (state.has_modes)
    tcsetattr (STDIN_FILENO, TCSADRAIN, &state.raw);
  write_all (ENTER, strlen (ENTER));
  state.taken = TRUE;
}

static void
give_back (void)
{
  if (!state.taken)
    return;
  state.taken = FALSE;
  write_all (LEAVE, strlen (LEAVE));
  if (state.has_modes)
    tcsetattr (STDIN_FILENO, TCSADRAIN, &state.modes);
}

static void
wake (void)
{
  int error_number = errno;

  /* Where it is full there is one that was not seen yet. */
  if (write (state.wake[1], "", 1) < 0)
    errno = error_number;
}

/* Lets the signal do what it would have done. */
static void
raise_default (int number)
{
  struct sigaction action = { .sa_handler = SIG_DFL };
  sigset_t signals;

  sigaction (number, &action, NULL);
  sigemptyset (&signals);
  sigaddset (&signals, number);
  raise (number);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
}

static gboolean
is_crash (int number)
{
  return number == SIGABRT || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGSEGV
         || number == SIGTRAP;
}

static void on_signal (int number);

/* All that are handled here. */
static void
fill_signals (sigset_t *signals)
{
  sigemptyset (signals);
  for (guint i = 0; i < G_N_ELEMENTS (fatal_signals); i++)
    sigaddset (signals, fatal_signals[i]);
  for (guint i = 0; i < G_N_ELEMENTS (other_signals); i++)
    sigaddset (signals, other_signals[i]);
}

/* One is handled at a time: what gives the terminal back is not interrupted by what takes it again, as
 * SIGCONT behind SIGTERM would. */
static void
install (int number)
{
  struct sigaction action = { .sa_handler = on_signal };

  fill_signals (&action.sa_mask);
  sigaction (number, &action, NULL);
}

static void
on_signal (int number)
{
  int error_number = errno;

  if (!pthread_equal (pthread_self (), state.thread) && !is_crash (number))
    {
      pthread_kill (state.thread, number);
      errno = error_number;
      return;
    }
  switch (number)
    {
    case SIGTSTP:
      give_back ();
      raise_default (number);
      /* Here it goes on, and then handles SIGCONT. */
      install (SIGTSTP);
      break;
    case SIGCONT:
      take ();
      wake ();
      break;
    case SIGWINCH:
      wake ();
      break;
    default:
      give_back ();
      raise_default (number);
      break;
    }
  errno = error_number;
}

/* Not those that the process was started to ignore. */
static void
handle (int number, struct sigaction *old)
{
  sigaction (number, NULL, old);
  if (old->sa_handler != SIG_IGN)
    install (number);
}

/* The pipe of the signal handlers. */
static gboolean
on_event (int fd, GIOCondition condition, gpointer user_data)
{
  MetricsCtlScreen *self = user_data;
  char bytes[64];

  while (read (fd, bytes, sizeof bytes) > 0)
    continue;
  self->funcs.redraw (self->user_data);
  return G_SOURCE_CONTINUE;
}

/* What is behind the introducer of a key's sequence: "A", "5~", "1;2A". */
static guint
find_sequence (const char *bytes, gsize n_bytes)
{
  static const struct
  {
    const char *bytes;
    guint key;
  } sequences[] = {
    { "A", METRICS_CTL_KEY_UP },    { "B", METRICS_CTL_KEY_DOWN },     { "C", METRICS_CTL_KEY_RIGHT },
    { "D", METRICS_CTL_KEY_LEFT },  { "H", METRICS_CTL_KEY_HOME },     { "F", METRICS_CTL_KEY_END },
    { "1~", METRICS_CTL_KEY_HOME }, { "4~", METRICS_CTL_KEY_END },     { "7~", METRICS_CTL_KEY_HOME },
    { "8~", METRICS_CTL_KEY_END },  { "5~", METRICS_CTL_KEY_PAGE_UP }, { "6~", METRICS_CTL_KEY_PAGE_DOWN },
    { "M", METRICS_CTL_KEY_ENTER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sequences); i++)
    if (strlen (sequences[i].bytes) == n_bytes && memcmp (sequences[i].bytes, bytes, n_bytes) == 0)
      return sequences[i].key;
  return 0;
}

/* A sequence that begins with Escape: CSI or SS3, parameters, a final byte. */
static guint
parse_sequence (const char *bytes, gsize n_bytes, gsize *n_used)
{
  gsize i = 2;

  if (n_bytes < 2)
    return 0;
  if (bytes[1] != '[' && bytes[1] != 'O')
    {
      *n_used = 1;
      return METRICS_CTL_KEY_ESCAPE;
    }
  while (i < n_bytes && bytes[i] >= 0x20 && bytes[i] < 0x40)
    i++;
  if (i == n_bytes)
    return 0;
  *n_used = i + 1;
  return find_sequence (bytes + 2, i - 1);
}

/**
 * metrics_ctl_screen_parse_key:
 * @bytes: (array length=n_bytes): what a terminal has sent
 * @n_bytes: how many bytes
 * @n_used: (out): how many of them are the first key's; 0 where more has to come
 *
 * Returns: the first key: a character, or a #MetricsCtlKey; 0 where it is none that is known, or more has to
 * come
 */
guint
metrics_ctl_screen_parse_key (const char *bytes, gsize n_bytes, gsize *n_used)
{
  gunichar c;

  *n_used = 0;
  if (n_bytes == 0)
    return 0;
  if (bytes[0] == '\033')
    return parse_sequence (bytes, n_bytes, n_used);
  c = g_utf8_get_char_validated (bytes, (gssize) n_bytes);
  if (c == (gunichar) -2 && n_bytes < 6)
    return 0;
  if (c == (gunichar) -1 || c == (gunichar) -2)
    {
      *n_used = 1;
      return 0;
    }
  *n_used = c == 0 ? 1 : (gsize) (g_utf8_next_char (bytes) - bytes);
  if (c == '\r' || c == '\n')
    return METRICS_CTL_KEY_ENTER;
  return c == 0x7f || c == '\b' ? METRICS_CTL_KEY_BACKSPACE : c;
}

static void
stop_waiting (MetricsCtlScreen *self)
{
  if (self->escape != NULL)
    g_source_destroy (self->escape);
  g_clear_pointer (&self->escape, g_source_unref);
}

/* No more has come: it was the key of that name, or no key, the beginning of a character say. */
static gboolean
on_escape (gpointer user_data)
{
  MetricsCtlScreen *self = user_data;
  gboolean is_escape = self->keys->data[0] == '\033';

  stop_waiting (self);
  g_byte_array_set_size (self->keys, 0);
  if (is_escape)
    self->funcs.key (METRICS_CTL_KEY_ESCAPE, self->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_input (int fd, GIOCondition condition, gpointer user_data)
{
  MetricsCtlScreen *self = user_data;
  char bytes[256];
  gssize n = read (fd, bytes, sizeof bytes);
  gsize used, done = 0;

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n <= 0)
    {
      self->funcs.key (METRICS_CTL_KEY_CLOSED, self->user_data);
      return G_SOURCE_REMOVE;
    }
  stop_waiting (self);
  g_byte_array_append (self->keys, (const guint8 *) bytes, (guint) n);
  while (done < self->keys->len)
    {
      guint key = metrics_ctl_screen_parse_key ((const char *) self->keys->data + done,
                                                self->keys->len - done, &used);

      if (used == 0)
        break;
      done += used;
      if (key != 0)
        self->funcs.key (key, self->user_data);
    }
  g_byte_array_remove_range (self->keys, 0, (guint) done);
  if (self->keys->len > 0)
    {
      self->escape = g_timeout_source_new (ESCAPE_MSEC);
      g_source_set_callback (self->escape, on_escape, self, NULL);
      g_source_attach (self->escape, NULL);
    }
  return G_SOURCE_CONTINUE;
}

static GSource *
watch_fd (int fd, GUnixFDSourceFunc func, MetricsCtlScreen *self)
{
  GSource *source = g_unix_fd_source_new (fd, G_IO_IN);

  g_source_set_callback (source, G_SOURCE_FUNC (func), self, NULL);
  g_source_attach (source, NULL);
  return source;
}

static void
get_modes (void)
{
  state.has_modes = tcgetattr (STDIN_FILENO, &state.modes) == 0;
  state.raw = state.modes;
  /* Ctrl-C and Ctrl-Z stay signals; Ctrl-S would stop the program at its next write. */
  state.raw.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
  state.raw.c_iflag &= ~(tcflag_t) (IXON | ICRNL);
  state.raw.c_cc[VMIN] = 1;
  state.raw.c_cc[VTIME] = 0;
}

/**
 * metrics_ctl_screen_open:
 * @funcs: who is told of keys and of what has to be drawn
 * @user_data: for them
 * @error: return location for a #GError
 *
 * Takes over the terminal that is standard output, and the keys of standard input where that is one. To be
 * called in the main thread, once at a time.
 *
 * Returns: (transfer full) (nullable): the screen; %NULL where there are no file descriptors left
 */
MetricsCtlScreen *
metrics_ctl_screen_open (const MetricsCtlScreenFuncs *funcs, gpointer user_data, GError **error)
{
  MetricsCtlScreen *self;
  sigset_t signals, old_mask;

  if (!g_unix_open_pipe (state.wake, FD_CLOEXEC, error))
    return NULL;
  g_unix_set_fd_nonblocking (state.wake[0], TRUE, NULL);
  g_unix_set_fd_nonblocking (state.wake[1], TRUE, NULL);
  self = g_new0 (MetricsCtlScreen, 1);
  self->funcs = *funcs;
  self->user_data = user_data;
  self->keys = g_byte_array_new ();
  self->events = watch_fd (state.wake[0], on_event, self);
  state.thread = pthread_self ();
  get_modes ();
  if (state.has_modes)
    self->input = watch_fd (STDIN_FILENO, on_input, self);
  fill_signals (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, &old_mask);
  for (guint i = 0; i < G_N_ELEMENTS (fatal_signals); i++)
    handle (fatal_signals[i], &state.old_fatal[i]);
  for (guint i = 0; i < G_N_ELEMENTS (other_signals); i++)
    handle (other_signals[i], &state.old_other[i]);
  take ();
  pthread_sigmask (SIG_SETMASK, &old_mask, NULL);
  return self;
}

static void
destroy_source (GSource *source)
{
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

/**
 * metrics_ctl_screen_close:
 * @self: (transfer full) (nullable): a screen
 *
 * Gives the terminal back as it was.
 */
void
metrics_ctl_screen_close (MetricsCtlScreen *self)
{
  sigset_t signals, old_mask;

  if (self == NULL)
    return;
  fill_signals (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, &old_mask);
  give_back ();
  for (guint i = 0; i < G_N_ELEMENTS (fatal_signals); i++)
    sigaction (fatal_signals[i], &state.old_fatal[i], NULL);
  for (guint i = 0; i < G_N_ELEMENTS (other_signals); i++)
    sigaction (other_signals[i], &state.old_other[i], NULL);
  pthread_sigmask (SIG_SETMASK, &old_mask, NULL);
  destroy_source (self->input);
  destroy_source (self->events);
  destroy_source (self->escape);
  close (state.wake[0]);
  close (state.wake[1]);
  g_byte_array_unref (self->keys);
  g_free (self);
}

/**
 * metrics_ctl_screen_write:
 * @self: a screen
 * @bytes: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 *
 * Writes to the terminal, and waits for it.
 *
 * Returns: %FALSE where the terminal has gone
 */
gboolean
metrics_ctl_screen_write (MetricsCtlScreen *self, const char *bytes, gsize n_bytes)
{
  errno = 0;
  write_all (bytes, n_bytes);
  return errno == 0 || errno == EINTR;
}
