/*
 * What this machine can do at most: a relay in C that copies the bytes of one sender to all
 * receivers, and looks at none.
 *
 *     copy-relay RECEIVERS
 *
 * Prints {"port":...}. A connection says first what it is: 's' sends, 'r' receives.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of 64 KiB to 1 MiB the one that copied most. */
static char chunk[256 * 1024];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on_loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, bytes) ||
      listen(listener, 64) ||
      getsockname(listener, (struct sockaddr *)&address, &bytes))
    fail("listen");
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void write_all(int receiver, ssize_t bytes) {
  for (ssize_t at = 0; at < bytes;) {
    ssize_t written = write(receiver, chunk + at, bytes - at);
    if (written <= 0) fail("write");
    at += written;
  }
}

int main(int count, char **arguments) {
  int wanted = count == 2 ? atoi(arguments[1]) : 0;
  int receivers[64], known = 0, sender = -1, one = 1;
  if (wanted < 1 || wanted > 64) return 2;
  int listener = listen_on_loopback();
  while (sender < 0 || known < wanted) {
    char role;
    int peer = accept(listener, NULL, NULL);
    if (peer < 0 || read(peer, &role, 1) != 1 || write(peer, "!", 1) != 1) fail("accept");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (role == 's') sender = peer;
    else receivers[known++] = peer;
  }
  for (ssize_t bytes; (bytes = read(sender, chunk, sizeof chunk)) > 0;)
    for (int i = 0; i < known; i++) write_all(receivers[i], bytes);
  return 0;
}
