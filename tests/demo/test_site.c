#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "config/load.h"
#include "demo/pki.h"
#include "demo/site.h"
#include "identity/identity.h"
#include "tls/context.h"
#include "x509/pem.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHAIN_MAX = 4, DER_MAX = 2048, DAY = 24 * 60 * 60 };

static struct demo_folder folder;
static struct error error;
static bool reused;

static void set_up(void) {
    hash_init();
    cr_assert_eq(tls_library_init(), 0);
    cr_assert_eq(demo_folder_open(&folder, NULL, &error), 0, "%s", error.text);
    cr_assert_eq(demo_site_prepare(&folder, &reused, &error), 0, "%s", error.text);
    cr_assert_not(reused);
}

static void tear_down(void) {
    demo_folder_close(&folder, demo_site_files, demo_site_file_count);
    tls_library_cleanup();
}

TestSuite(demo_site, .init = set_up, .fini = tear_down);

static struct bytes read_file(const char *name) {
    static uint8_t content[DEMO_FILE_SIZE_MAX];
    ssize_t size = demo_folder_read(&folder, name, content);
    cr_assert_gt(size, 0, "%s", name);
    return bytes_of(content, (size_t)size);
}

static size_t read_chain(const char *name, struct bytes chain[static CHAIN_MAX]) {
    static uint8_t der[CHAIN_MAX][DER_MAX];
    struct pem_reader reader = pem_reader_of(read_file(name));
    size_t count = 0;
    struct pem_block block;
    while (pem_next(&reader, &block) == PEM_BLOCK) {
        if (!pem_label_is(&block, "CERTIFICATE")) {
            continue;
        }
        cr_assert(count < CHAIN_MAX && block.size <= DER_MAX);
        pem_decode(&block, der[count]);
        chain[count] = bytes_of(der[count], block.size);
        count++;
    }
    cr_assert_null(reader.error);
    return count;
}

static enum reason judge(const char *name, int64_t now) {
    struct error trust_error;
    struct trust *trust = trust_create();
    cr_assert_eq(trust_add_file(trust, read_file("root.pem"), &trust_error), 0, "%s", trust_error.text);
    struct bytes chain[CHAIN_MAX];
    size_t count = read_chain(name, chain);
    struct forward forward = {NULL, 0};
    struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    struct identity *identity = identity_judge(&policy, chain, count, false, now);
    enum reason reason = identity->reason;
    identity_release(identity);
    trust_free(trust);
    return reason;
}

Test(demo_site, each_client_is_what_its_name_says) {
    int64_t now = clock_wall_seconds();
    cr_assert_eq(judge("pizza.pem", now), REASON_OK);
    cr_assert_eq(judge("expired.pem", now), REASON_EXPIRED);
    cr_assert_eq(judge("expired.pem", now - 60 * DAY), REASON_OK, "but for its dates it is good");
    cr_assert_eq(judge("other-root.pem", now), REASON_UNKNOWN_ISSUER);
    cr_assert_eq(judge("server.pem", now), REASON_WRONG_USAGE);
    cr_assert_eq(judge("pizza.pem", now + 366 * DAY), REASON_EXPIRED);
}

Test(demo_site, the_server_certificate_and_key_belong_together) {
    uint8_t chain[DEMO_FILE_SIZE_MAX];
    ssize_t size = demo_folder_read(&folder, "server.pem", chain);
    bool at_key;
    struct error tls_error;
    struct tls_credentials *credentials =
        tls_credentials_load(bytes_of(chain, (size_t)size), read_file("server.key"), &at_key, &tls_error);
    cr_assert_not_null(credentials, "%s", tls_error.text);
    cr_assert_eq(credentials->chain_count, 2);
    tls_credentials_free(credentials);
}

Test(demo_site, files_with_a_key_are_for_their_owner_only) {
    static const char *const secret[] = {"server.key", "pizza.pem", "expired.pem", "other-root.pem"};
    for (size_t i = 0; i < demo_site_file_count - 1; i++) {
        struct stat status;
        bool has_key = false;
        for (size_t j = 0; j < sizeof secret / sizeof secret[0]; j++) {
            has_key = has_key || strcmp(secret[j], demo_site_files[i]) == 0;
        }
        cr_assert_eq(fstatat(folder.descriptor, demo_site_files[i], &status, 0), 0);
        cr_assert_eq(status.st_mode & 0777, has_key ? 0600 : 0644, "%s", demo_site_files[i]);
        struct bytes content = read_file(demo_site_files[i]);
        cr_assert_eq(memmem(content.data, content.size, "PRIVATE KEY", 11) != NULL, has_key, "%s", demo_site_files[i]);
    }
}

Test(demo_site, ski_is_that_of_the_leaf) {
    char ski[DEMO_PKI_SKI_SIZE];
    char other[DEMO_PKI_SKI_SIZE];
    cr_assert_eq(demo_pki_ski(&folder, "pizza.pem", ski), 0);
    cr_assert_eq(strlen(ski), 40);
    cr_assert_eq(strspn(ski, "0123456789abcdef"), 40);
    cr_assert_eq(demo_pki_ski(&folder, "intermediate.pem", other), 0);
    cr_assert_str_neq(ski, other);
    cr_assert_eq(demo_pki_ski(&folder, "server.key", ski), -EINVAL);
    cr_assert_eq(demo_pki_ski(&folder, "absent", ski), -EINVAL);
}

Test(demo_site, a_whole_folder_is_used_again) {
    uint8_t before[DEMO_FILE_SIZE_MAX];
    ssize_t size = demo_folder_read(&folder, "pizza.pem", before);
    cr_assert_eq(demo_site_prepare(&folder, &reused, &error), 0, "%s", error.text);
    cr_assert(reused);
    cr_assert(bytes_equal(bytes_of(before, (size_t)size), read_file("pizza.pem")));
}

Test(demo_site, a_part_of_a_folder_is_refused_and_left_alone) {
    cr_assert_eq(unlinkat(folder.descriptor, "expired.pem", 0), 0);
    cr_assert_eq(demo_site_prepare(&folder, &reused, &error), -EEXIST);
    cr_assert(strstr(error.text, "not expired.pem") != NULL, "%s", error.text);
    cr_assert_not(demo_folder_has(&folder, "expired.pem"));
}

Test(demo_site, expired_or_broken_certificates_are_not_used_again) {
    cr_assert_eq(demo_pki_check(&folder, clock_wall_seconds() + 364 * DAY, &error), 0, "%s", error.text);
    cr_assert_eq(demo_pki_check(&folder, clock_wall_seconds() + 366 * DAY, &error), -EINVAL);
    cr_assert(strstr(error.text, "expired") != NULL, "%s", error.text);
    cr_assert_eq(unlinkat(folder.descriptor, "pizza.pem", 0), 0);
    cr_assert_eq(demo_folder_write(&folder, "pizza.pem", 0600, bytes_of_string("no certificate\n"), &error), 0);
    cr_assert_eq(demo_site_prepare(&folder, &reused, &error), -EINVAL);
    cr_assert(strstr(error.text, "pizza.pem") != NULL, "%s", error.text);
}

Test(demo_site, a_foreign_configuration_stops_it_before_anything_is_written) {
    char path[PATH_MAX + 8];
    struct demo_folder other;
    snprintf(path, sizeof path, "%s/other", folder.path);
    cr_assert_eq(demo_folder_open(&other, path, &error), 0, "%s", error.text);
    other.temporary = true;
    cr_assert_eq(demo_folder_write(&other, "sallyport.yaml", 0644, bytes_of_string("listen:\n"), &error), 0);
    cr_assert_eq(demo_site_prepare(&other, &reused, &error), -EEXIST);
    cr_assert(strstr(error.text, "sallyport.yaml") != NULL, "%s", error.text);
    cr_assert_not(demo_folder_has(&other, "root.pem"));
    demo_folder_close(&other, demo_site_files, demo_site_file_count);
}

Test(demo_site, its_configuration_loads) {
    struct demo_ports ports = {.https = 8443, .admin = 9443, .origin = 9000, .ipv6 = true};
    cr_assert_eq(demo_site_write_config(&folder, &ports, &error), 0, "%s", error.text);
    ports.ipv6 = false;
    cr_assert_eq(demo_site_write_config(&folder, &ports, &error), 0, "%s", error.text);
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/sallyport.yaml", folder.path);
    struct config_problems problems = {0};
    struct config *config = config_load(path, &problems);
    config_problems_print(&problems, stderr);
    cr_assert_not_null(config);
    cr_assert_eq(config->listen_count, 1);
    const struct config_host *enforce = config_find_host(config, DEMO_HOST_ENFORCE);
    const struct config_host *report = config_find_host(config, DEMO_HOST_REPORT);
    cr_assert_eq(enforce->mode, CONFIG_ENFORCE);
    cr_assert_eq(report->mode, CONFIG_REPORT);
    cr_assert(bytes_equal(enforce->deny_html, read_file("deny.html")));
    cr_assert(bytes_equal(enforce->deny_json, read_file("deny.json")));
    config_release(config);
}

static int listen_on(uint16_t port, uint16_t *bound) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *bound = ntohs(address.sin_port);
    return listener;
}

Test(demo_site, a_port_that_is_taken_is_an_error_or_passed_over) {
    struct demo_ports ports;
    uint16_t taken;
    int listener = listen_on(0, &taken); /* with SO_REUSEPORT, as another Sallyport has it */
    cr_assert_eq(demo_site_choose_ports(&ports, taken, false, &error), -EADDRINUSE);
    cr_assert(strstr(error.text, "--port") != NULL, "%s", error.text);
    cr_assert_eq(demo_site_choose_ports(&ports, taken, true, &error), 0, "%s", error.text);
    cr_assert_neq(ports.https, taken);
    cr_assert_neq(ports.https, 0);
    cr_assert_neq(ports.admin, 0);
    cr_assert_neq(ports.admin, ports.https);
    close(listener);
    cr_assert_eq(demo_site_choose_ports(&ports, taken, false, &error), 0, "%s", error.text);
    cr_assert_eq(ports.https, taken);
    cr_assert_eq(demo_site_choose_ports(&ports, 0, false, &error), 0, "%s", error.text);
    cr_assert_neq(ports.https, 0);
}
