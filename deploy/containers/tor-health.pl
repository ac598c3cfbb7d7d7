# The health check of the tor container: says over the control socket, which is named, how far tor is on its way into the network.
use strict;
use warnings;
use IO::Socket::UNIX;

my $tor = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "tor does not answer yet\n";
print $tor "AUTHENTICATE\r\nGETINFO status/bootstrap-phase\r\nQUIT\r\n";
my $said = join '', <$tor>;
my ($percent, $summary) = $said =~ /PROGRESS=(\d+).*SUMMARY="([^"]*)"/ or die "tor does not say how far it is\n";
print "bootstrapped $percent %: $summary\n";
exit($percent == 100 ? 0 : 1);
