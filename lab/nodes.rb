#!/usr/bin/env ruby
# The lab's nodes as pillar/cluster.sls names them: for the Vagrantfile as a module, for shell scripts as
# lines of "name address memory_mb roles", or with an argument: "names", "master", "cluster".
require "ipaddr"
require "yaml"

module Lab
  FILE = ENV["SALTRONI_PILLAR"] || File.expand_path("../pillar/cluster.sls", __dir__)
  NETWORK = IPAddr.new("192.168.56.0/24")
  Node = Struct.new(:name, :address, :memory_mb, :roles) do
    def master?
      roles.include?("master")
    end
  end

  def self.settings
    @settings ||= YAML.safe_load(File.read(FILE)).fetch("saltroni")
  end

  def self.nodes
    @nodes ||= settings.fetch("nodes").map do |name, node|
      abort "#{FILE}: #{name} is no host name" unless name =~ /\A[a-z][a-z0-9-]{0,30}\z/
      address = IPAddr.new(node.fetch("address"))
      abort "#{FILE}: #{name}'s address #{address} is outside the lab's network #{NETWORK}/24" unless NETWORK.include?(address)
      Node.new(name, address.to_s, Integer(node["memory_mb"] || 1024), node.fetch("roles"))
    end
  end

  def self.master
    masters = nodes.select(&:master?)
    abort "#{FILE}: exactly one node has the role master, here: #{masters.map(&:name)}" unless masters.one?
    masters.first
  end
end

if $PROGRAM_NAME == __FILE__
  case ARGV.first
  when "names" then puts Lab.nodes.map(&:name)
  when "master" then puts Lab.master.name
  when "cluster" then puts Lab.settings.fetch("cluster")
  else Lab.nodes.each { |node| puts [node.name, node.address, node.memory_mb, node.roles.join(",")].join(" ") }
  end
end
