#!/usr/bin/env ruby
# The lab's nodes as pillar/cluster.sls names them: for the Vagrantfile as a module, for shell scripts as
# lines of "name address memory_mb roles", or with an argument: "names", "master", "cluster", "backup" (the tool that the
# pillar wants), and "network", which prints which of this machine's labs this is, as the shell variables that follow from its number.
require "ipaddr"
require "yaml"

module Lab
  FILE = ENV["SALTRONI_PILLAR"] || File.expand_path("../pillar/cluster.sls", __dir__)
  RANGE = IPAddr.new("192.168.56.0/21") # what VirtualBox allows host-only networks by default: room for labs 0 to 7
  Node = Struct.new(:name, :address, :memory_mb, :roles) do
    def master?
      roles.include?("master")
    end

    def database?
      roles.include?("patroni")
    end
  end

  def self.settings
    @settings ||= YAML.safe_load(File.read(FILE)).fetch("saltroni")
  end

  def self.nodes
    @nodes ||= settings.fetch("nodes").map do |name, node|
      abort "#{FILE}: #{name} is no host name" unless name =~ /\A[a-z][a-z0-9-]{0,30}\z/
      address = IPAddr.new(node.fetch("address"))
      unless RANGE.include?(address)
        abort "#{FILE}: #{name}'s address #{address} is outside 192.168.56.0 to 192.168.63.255, where labs are"
      end
      Node.new(name, address.to_s, Integer(node["memory_mb"] || 1024), node.fetch("roles"))
    end
  end

  # 192.168.56.0/24 is lab 0, 192.168.63.0/24 lab 7: labs with different numbers run side by side on one machine.
  def self.number
    numbers = nodes.group_by { |node| node.address.split(".")[2].to_i - 56 }
    unless numbers.one?
      places = numbers.map { |number, nodes| "192.168.#{56 + number}.0/24: #{nodes.map(&:name).join(", ")}" }
      abort "#{FILE}: a lab's nodes are in one /24 network, here: #{places.join("; ")}"
    end
    numbers.keys.first
  end

  # What the lab's things on this machine are called.
  def self.id
    number.zero? ? "saltroni" : "saltroni#{number}"
  end

  def self.bridge
    "saltroni#{number}"
  end

  def self.gateway
    "192.168.#{56 + number}.1"
  end

  def self.container(name)
    "#{id}-#{name}"
  end

  def self.network
    {
      NUMBER: number, LAB_ID: id, BRIDGE: bridge, PREFIX: container(""), GATEWAY: gateway,
      NETWORK: "192.168.#{56 + number}.0/24",
    }
  end

  def self.postgresql_version
    settings.fetch("postgresql", {})["version"] || 17
  end

  # The tool that makes backups, as the pillar wants it; nothing if there are none.
  def self.backup_tool
    backup = settings.fetch("backup", {})
    backup["tool"] || "walg" if backup["enabled"]
  end

  # The folder where the pillar mounts a file system for backups; nothing if they go elsewhere.
  def self.backup_folder
    storage = settings.fetch("backup", {}).fetch("storage", {})
    storage.fetch("folder") if storage["kind"] == "folder"
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
  when "network" then Lab.network.each { |variable, value| puts "#{variable}=#{value}" }
  when "backup" then puts Lab.backup_tool if Lab.backup_tool
  when "cluster" then puts Lab.settings.fetch("cluster")
  else Lab.nodes.each { |node| puts [node.name, node.address, node.memory_mb, node.roles.join(",")].join(" ") }
  end
end
